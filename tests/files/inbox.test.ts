// A folder that many save into while others empty it: names, numbers, and part files of killed processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, rename, symlink, unlink, writeFile } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import * as assert from "uvu/assert";
import { type FileSystem, nodeFileSystem } from "../../files/file_system.ts";
import { nameOfType } from "../../files/mime.ts";
import { ownerTag } from "../../files/owner.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { begin, finish, text } from "../support/part_files.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("saveTo: inboxes");

/** A file system in which a watcher of the folder takes a file at one step of its commit. */
function watched(folder: string, step: "link" | "lstat", take: (path: string) => Promise<void>): FileSystem {
  return {
    ...nodeFileSystem,
    link: async (from, to) => {
      try {
        await nodeFileSystem.link(from, to);
      } catch (error) {
        if (step === "link") await take(to);
        throw error;
      }
    },
    lstat: async (path) => {
      if (step === "lstat" && path.startsWith(folder) && !path.endsWith(".part")) await take(path).catch(() => {});
      return await nodeFileSystem.lstat(path);
    },
  };
}

for (const step of ["link", "lstat"] as const) {
  for (
    const [how, take] of [["deletes", unlink], [
      "moves",
      (path: string) => rename(path, `${path}.${Math.random()}.taken`),
    ]] as const
  ) {
    test(`PartFile.commit(): a consumer who ${how} the file there, at each ${step}, loses no file`, () =>
      inTemporaryFolder(async (folder) => {
        const files = watched(folder, step, take);
        for (let i = 0; i < 20; i++) {
          const path = await finish(await begin(folder + sep, { files }), `${i}`);
          assert.match(basename(path), /^report( \(\d+\))?\.pdf$/);
        }
      }));
  }
}

test("PartFile.commit() without hard links: a consumer who takes the placeholder loses no file", () =>
  inTemporaryFolder(async (folder) => {
    const files: FileSystem = {
      ...nodeFileSystem,
      link: () => Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" })),
      lstat: async (path) => {
        if (!path.endsWith(".part")) await unlink(path).catch(() => {});
        return await nodeFileSystem.lstat(path);
      },
    };
    for (let i = 0; i < 20; i++) await finish(await begin(folder + sep, { files }), `${i}`);
  }));

for (const atOnce of [1, 16, 400]) {
  test(`saveTo: 400 files of one name, ${atOnce} at once, are all kept, with about 30 lookups each at most`, () =>
    inTemporaryFolder(async (folder) => {
      let calls = 0;
      const files: FileSystem = {
        ...nodeFileSystem,
        link: (from, to) => (calls++, nodeFileSystem.link(from, to)),
        lstat: (path) => (calls++, nodeFileSystem.lstat(path)),
      };
      for (let done = 0; done < 400; done += atOnce) {
        const parts = await Promise.all(Array.from({ length: atOnce }, () => begin(folder + sep, { files, sync: false })));
        await Promise.all(parts.map((part, i) => finish(part, `${done + i}`)));
      }
      assert.is(new Set(await readdir(folder)).size, 400);
      assert.ok(calls < 400 * 30, `${calls} calls`);
    }));
}

const NAMED: readonly [mimeType: string, name: string][] = [
  ["application/pdf", "file.pdf"],
  ["application/octet-stream", "file.bin"],
  ["", "file.bin"],
  ["x/unheard-of", "file.bin"],
  ["text/plain; charset=utf-8", "file.txt"],
  ["IMAGE/JPEG", "file.jpg"],
  ["constructor", "file.bin"],
];

for (const [mimeType, name] of NAMED) {
  test(`saveTo: a stream without a name, of type "${mimeType}", is saved as ${name}`, () =>
    inTemporaryFolder(async (folder) => {
      assert.is(nameOfType(mimeType), name);
      assert.is(await finish(await begin(folder + sep, { name: "", mimeType }), "x"), join(folder, name));
    }));
}

const LONG: readonly [name: string, saved: string][] = [
  [`${"n".repeat(251)}.pdf`, `${"n".repeat(251)}.pdf`],
  [`${"n".repeat(252)}.pdf`, `${"n".repeat(251)}.pdf`],
  [`${"ü".repeat(2_000)}.tar.gz`, `${"ü".repeat(124)}.tar.gz`],
  ["😀".repeat(3_000), "😀".repeat(63)],
];

test("saveTo: a name too long for the file system is cut at a code point and keeps its extension", () =>
  inTemporaryFolder((folder) =>
    inPair(async (alice, bob) => {
      const paths: string[] = [];
      bob.registerByteStreamHandler("f", async (reader) => void paths.push((await reader.saveTo(folder + sep)).path));
      for (const [name, saved] of LONG) {
        for (const mark of ["", " (2)"]) {
          await alice.sendBytes(pattern(10), { topic: "f", name, destinationIdentities: ["bob"] });
          const path = basename(paths.at(-1) ?? "");
          if (mark === "" && !paths.slice(0, -1).some((other) => basename(other) === saved)) assert.is(path, saved);
          assert.ok(new TextEncoder().encode(path).length <= 255);
        }
      }
      assert.is(new Set(paths).size, 2 * LONG.length);
    })
  ));

test("saveTo: removes part files of killed processes from its folder, and no others", () =>
  inTemporaryFolder(async (folder) => {
    const own = ownerTag();
    if (own === undefined) return assert.ok(process.platform !== "linux", "this process cannot tell who it is");
    const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(child, "exit");
    const [host, pid, start] = own.split("-");
    const uuid = (): string => crypto.randomUUID();
    const left = [`a.pdf.${host}-${child.pid}-1.${uuid()}.part`, `b.${host}-${pid}-1.${uuid()}.part`];
    const kept = [
      `c.${own}.${uuid()}.part`, // of this process
      `d.${host}-${process.ppid}-${start}x.${uuid()}.part`,
      `e.0123456789ab-${child.pid}-1.${uuid()}.part`, // of another machine
      `f.${uuid()}.part`,
      `${host}-${child.pid}-1.part`,
      "notes.part",
    ];
    for (const name of [...left, ...kept]) await writeFile(join(folder, name), "half");
    await symlink("notes.part", join(folder, `g.${host}-${child.pid}-1.${uuid()}.part`)); // no file
    await finish(await begin(join(folder, "new.bin")), "whole");
    const names = await readdir(folder);
    for (const name of left) assert.not(names.includes(name), name);
    for (const name of kept) assert.ok(names.includes(name), name);
    assert.is(names.length, kept.length + 2);
    assert.is(await text(join(folder, "new.bin")), "whole");
  }));

test.run();
