// Part files on file systems that are full, refuse, or lack a feature.
import { execFile } from "node:child_process";
import { link, mkdir, readdir, rename, symlink, unlink, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { nodeFileSystem } from "../../files/file_system.ts";
import { suite } from "../support/harness.ts";
import { begin, causeCode, failing, finish, text } from "../support/part_files.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import type { FileSystem } from "../../files/file_system.ts";

const test = suite("placing");

for (const code of ["ENOSPC", "EACCES", "EROFS", "EMFILE"]) {
  test(`PartFile.commit(): ${code} at any step is a file-error with that cause, and no file stays`, () =>
    inTemporaryFolder(async (folder) => {
      for (const step of ["mkdir", "create", "sync", "link", "lstat"] as const) {
        let armed = step === "mkdir" || step === "create";
        // EACCES from link means that there are no hard links: then the placeholder is refused, too.
        const broken = (name: typeof step) => armed && (name === step || (name === "create" && step === "link"));
        const files: FileSystem = {
          ...nodeFileSystem,
          mkdir: (path) => broken("mkdir") ? failing(code)() : nodeFileSystem.mkdir(path),
          create: (path) => broken("create") ? failing(code)() : nodeFileSystem.create(path),
          sync: (path) => broken("sync") ? failing(code)() : nodeFileSystem.sync(path),
          link: (from, to) => broken("link") ? failing(code)() : nodeFileSystem.link(from, to),
          lstat: (path) => broken("lstat") ? failing(code)() : nodeFileSystem.lstat(path),
        };
        const error = await rejection(async () => {
          const part = await begin(join(folder, "new") + sep, { files });
          armed = true;
          try {
            await finish(part, "x");
          } finally {
            armed = false;
            await part.discard();
          }
        }, "file-error");
        assert.is(causeCode(error), code, step);
        assert.equal(await readdir(folder), [], step);
      }
    }));
}

/** A folder of 64 kB with room for two files: a tmpfs where mounting is permitted, else undefined. */
async function mountSmall(folder: string): Promise<string | undefined> {
  const small = join(folder, "small");
  await mkdir(small);
  try {
    await promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=64k,nr_inodes=3", "tmpfs", small]);
    return small;
  } catch {
    return undefined;
  }
}

test("PartFile: a disk that is full at the start or midway is left as before", () =>
  inTemporaryFolder(async (folder) => {
    const small = await mountSmall(folder);
    const target = small ?? folder;
    const noSpace = { ...nodeFileSystem, create: failing("ENOSPC") };
    try {
      const before = await readdir(target);
      const part = await begin(target);
      try {
        if (small === undefined) await failing("ENOSPC")();
        await writeFile(part.ref.path, new Uint8Array(100_000), { flag: "r+" });
        assert.unreachable("100 kB fit into 64");
      } catch (error) {
        assert.is((error as { code?: string }).code, "ENOSPC");
        await part.discard();
      }
      assert.equal(await readdir(target), before);
      const [whole, half] = [await begin(target), await begin(target)];
      const error = await rejection(() => begin(target, small === undefined ? { files: noSpace } : {}), "file-error");
      assert.is(causeCode(error), "ENOSPC");
      assert.match(error.message, /^Cannot save the file as no space is left: path is "/);
      await half.discard();
      await finish(whole, "x"); // on a tmpfs, a second name needs as much room as a second file
      assert.equal((await readdir(target)).sort(), [...before, "report.pdf"].sort());
    } finally {
      if (small !== undefined) await promisify(execFile)("umount", [small]);
    }
  }));

test("PartFile.commit() without hard links: takes a name only if it is free", () =>
  inTemporaryFolder(async (folder) => {
    for (const code of ["EPERM", "ENOTSUP", "EXDEV", "ENOSYS"]) {
      const files = { ...nodeFileSystem, link: failing(code) };
      const path = join(folder, code);
      assert.is(await finish(await begin(path, { files }), code), path);
      const taken = await begin(`${path}2`, { files });
      await symlink("nowhere", `${path}2`);
      await rejection(() => finish(taken, "x"), "file-exists");
      await unlink(`${path}2`);
      assert.is(await finish(await begin(folder, { files, name: code }), "2"), join(folder, `${code} (2)`));
      assert.equal([await text(path), await text(join(folder, `${code} (2)`))], [code, "2"]);
    }
    assert.is((await readdir(folder)).length, 8);
  }));

test("PartFile.commit() without hard links: a process that takes the placeholder's name keeps that", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out");
    const files: FileSystem = {
      ...nodeFileSystem,
      link: failing("EPERM"),
      create: async (made) => {
        const seen = await nodeFileSystem.create(made);
        if (made === path) {
          await writeFile(join(folder, "theirs"), "theirs");
          await rename(join(folder, "theirs"), path);
        }
        return seen;
      },
    };
    const part = await begin(path, { files });
    await rejection(() => finish(part, "ours"), "file-exists");
    assert.equal([await readdir(folder), await text(path)], [["out"], "theirs"]);
  }));

test("PartFile.commit() without hard links: a failed rename leaves no placeholder", () =>
  inTemporaryFolder(async (folder) => {
    const files = { ...nodeFileSystem, link: failing("EPERM"), rename: failing("EIO") };
    await rejection(async () => finish(await begin(join(folder, "out"), { files }), "x"), "file-error");
    assert.equal(await readdir(folder), []);
  }));

test("PartFile.commit(): recognises its own link if the answer was lost", () =>
  inTemporaryFolder(async (folder) => {
    const files: FileSystem = {
      ...nodeFileSystem,
      link: async (from, to) => {
        await link(from, to);
        return failing("EEXIST")();
      },
    };
    assert.is(await finish(await begin(folder, { files }), "x"), join(folder, "report.pdf"));
    assert.equal(await readdir(folder), ["report.pdf"]);
  }));

test("PartFile.commit(): flushes bytes before they get their name, unless that is off or impossible", () =>
  inTemporaryFolder(async (folder) => {
    const steps: string[] = [];
    const files: FileSystem = {
      ...nodeFileSystem,
      sync: (path) => (steps.push("sync"), nodeFileSystem.sync(path)),
      link: (from, to) => (steps.push("link"), nodeFileSystem.link(from, to)),
    };
    await finish(await begin(folder, { files }), "x");
    await finish(await begin(folder, { files, sync: false }), "x");
    assert.equal(steps, ["sync", "link", "link", "link"]); // the second one's first name was taken
    await finish(await begin(folder, { files: { ...nodeFileSystem, sync: failing("EINVAL") } }), "x");
    assert.is((await readdir(folder)).length, 3);
  }));

test.run();
