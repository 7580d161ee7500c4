// A file system that hangs: signals and `close` work all the same, and no file is left when it goes on.
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import * as assert from "uvu/assert";
import { type FileSystem, nodeFileSystem } from "../../files/file_system.ts";
import type { CodecPool } from "../../mod.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { begin } from "../support/part_files.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("hanging file systems");

interface Hang {
  /** Whether the call that hangs was made. */
  reached: boolean;
  goOn(): void;
}

/** Makes one call of the real file system hang, for paths below a folder, until it is released. */
async function whileHanging(call: keyof FileSystem, folder: string, body: (hang: Hang) => Promise<void>): Promise<void> {
  const files = nodeFileSystem as unknown as Record<string, (path: string, ...rest: unknown[]) => Promise<unknown>>;
  const real = files[call];
  assert.ok(real);
  let goOn: () => void = () => {};
  const back = new Promise<void>((resolve) => (goOn = resolve));
  const hang: Hang = { reached: false, goOn };
  files[call] = async (path, ...rest) => {
    if (path.startsWith(folder)) {
      hang.reached = true;
      await back;
    }
    return await real(path, ...rest);
  };
  try {
    await body(hang);
  } finally {
    files[call] = real;
    goOn();
  }
}

/** Ways to end a send or a save from its own side. */
const ENDS = ["signal", "close"] as const;

for (const call of ["stat", "read"] as const) {
  for (const end of ENDS) {
    test(`sendFile: settles by ${end} while "${call}" hangs`, () =>
      inTemporaryFolder((folder) =>
        inPair(async (alice) => {
          const path = join(folder, "data.bin");
          await writeFile(path, "data");
          await whileHanging(call, folder, async (hang) => {
            const controller = new AbortController();
            const options = { topic: "f", signal: controller.signal };
            const ended = end === "signal" ? "aborted" : "closed";
            const sent = rejection(() => alice.sendFile(path, options), ended);
            const text = rejection(() => alice.sendText("x", { ...options, attachments: [path] }), ended);
            await until(() => hang.reached);
            if (end === "signal") controller.abort();
            else await alice.close();
            await Promise.all([sent, text]);
          });
        })
      ));
  }
}

test("sendFile: asks nothing of the file system if its signal was aborted before", () =>
  inTemporaryFolder((folder) =>
    inPair(async (alice) => {
      await whileHanging("stat", folder, async (hang) => {
        await rejection(() => alice.sendFile(join(folder, "data.bin"), { signal: AbortSignal.abort() }), "aborted");
        assert.not.ok(hang.reached);
      });
    })
  ));

for (const call of ["stat", "mkdir", "create", "lstat", "sync", "link", "unlink"] as const) {
  for (const end of call === "create" || call === "sync" ? ENDS : ["signal"] as const) {
    test(`saveTo: settles by ${end} while "${call}" hangs, and leaves no file when the call returns`, () =>
      inTemporaryFolder((folder) =>
        inPair(async (alice, bob) => {
          const controller = new AbortController();
          const inbox = join(folder, "inbox");
          await whileHanging(call, inbox, async (hang) => {
            let settled: Promise<unknown> | undefined;
            bob.registerByteStreamHandler("f", async (reader) => {
              const code = end === "signal" ? "aborted" : "disconnected";
              await (settled = rejection(() => reader.saveTo(inbox + sep, { signal: controller.signal }), code));
            });
            const code = end === "signal" ? "cancelled" : "disconnected";
            const sent = rejection(() => alice.sendBytes(pattern(100_000), { topic: "f", name: "data.bin" }), code);
            await until(() => hang.reached);
            if (end === "signal") controller.abort();
            else await bob.close();
            await settled;
            await sent;
            hang.goOn();
            await until(async () => (await readdir(folder)).length === 0);
          });
        })
      ));
  }
}

/** Each of Alice's reads of files, or of Bob's writes, hangs until it is released. */
for (const call of ["readFile", "writeFile"] as const) {
  test(`transfer: settles by signal at both ends while "${call}" of the codec hangs`, () =>
    inTemporaryFolder((folder) =>
      inRealTime(async (room) => {
        let reached = false;
        let goOn: () => void = () => {};
        const back = new Promise<void>((resolve) => (goOn = resolve));
        const codec = createInlineCodec();
        const real = codec[call].bind(codec) as (...rest: unknown[]) => Promise<never>;
        codec[call] = async (...rest: unknown[]) => {
          reached = true;
          await back;
          return await real(...rest);
        };
        const pool = Object.assign(codec, { stats: () => ({}), close: () => Promise.resolve() }) as unknown as CodecPool;
        const { runtime: alice } = await room.join("alice", call === "readFile" ? { pool } : {});
        const { runtime: bob } = await room.join("bob", call === "writeFile" ? { pool } : {});
        const inbox = join(folder, "inbox");
        const path = join(folder, "data.bin");
        await writeFile(path, pattern(3_000_000));
        const controller = new AbortController();
        const own = { signal: controller.signal };
        const [ofSend, ofSave] = call === "readFile" ? [own, {}] : [{}, own];
        let saved: Promise<unknown> | undefined;
        bob.registerByteStreamHandler("f", async (reader) => {
          await (saved = rejection(() => reader.saveTo(inbox + sep, ofSave), "aborted"));
        });
        const code = call === "readFile" ? "aborted" : "cancelled";
        const sent = rejection(() => alice.sendFile(path, { topic: "f", ...ofSend }), code);
        await until(() => reached && saved !== undefined);
        controller.abort();
        const start = performance.now();
        await Promise.all([sent, saved]);
        assert.ok(performance.now() - start < 5_000, "the other end is told at once, and not by a sign of life later");
        goOn();
        await until(async () => (await readdir(folder)).length === 1);
      })
    ));
}

test("PartFile.discard() during a replacing commit leaves the old file or the whole new one", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "data.bin");
    await writeFile(path, "old");
    await whileHanging("rename", folder, async (hang) => {
      const part = await begin(path, { overwrite: true, files: nodeFileSystem });
      const commit = part.commit(0);
      await until(() => hang.reached);
      const discard = part.discard();
      hang.goOn();
      await discard;
      assert.is(await commit, path);
      assert.equal(await readdir(folder), ["data.bin"]);
    });
  }));

/** Paths below which no folder can be made. A runtime's own recursive mkdir tries for ever. */
const NOWHERE: Readonly<Record<string, (folder: string) => string>> = {
  "a symbolic link that leads nowhere": (folder) => join(folder, "link"),
  "a folder below one": (folder) => join(folder, "link", "today"),
  "two folders below one": (folder) => join(folder, "link", "today", "now"),
  "a link in a circle": (folder) => join(folder, "circle", "today"),
  "a folder below a file": (folder) => join(folder, "file", "today"),
  ...(process.platform === "linux" ? { "a folder below /proc": () => "/proc/nope/today" } : {}),
};

for (const [what, pathIn] of Object.entries(NOWHERE)) {
  test(`saveTo: into ${what} is a file-error`, () =>
    inTemporaryFolder(async (folder) => {
      await symlink(join(folder, "nowhere", "inbox"), join(folder, "link"));
      await symlink(join(folder, "circle"), join(folder, "circle"));
      await writeFile(join(folder, "file"), "");
      const before = await readdir(folder);
      await rejection(() => begin(pathIn(folder) + sep), "file-error");
      assert.equal(await readdir(folder), before);
    }));
}

test("saveTo: makes missing folders, reports the first, and removes those it made", () =>
  inTemporaryFolder(async (folder) => {
    await mkdir(join(folder, "a"));
    const deep = join(folder, "a", "b", "c");
    assert.is(await nodeFileSystem.mkdir(deep), join(folder, "a", "b"));
    assert.is(await nodeFileSystem.mkdir(deep), undefined);
    const made = await Promise.all(Array.from({ length: 20 }, () => nodeFileSystem.mkdir(join(folder, "x", "y", "z"))));
    assert.ok(made.some((one) => one === join(folder, "x")));
    const part = await begin(join(folder, "a", "p", "q") + sep);
    await part.discard();
    assert.equal(await readdir(join(folder, "a")), ["b"]);
  }));

test.run();
