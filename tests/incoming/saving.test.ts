// saveTo: paths, names, part files, failures.
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import type { Progress, RuntimeOptions, StreamError } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("saveTo");

const CODECS: readonly [name: string, options: Partial<RuntimeOptions>][] = [["by the pool", {}], ["inline", { pool: false }]];

for (const [codec, options] of CODECS) {
  test(`saveTo: a folder uses the sender's name made safe, and numbers names in use, ${codec}`, () =>
    inPair((alice, bob) =>
      inTemporaryFolder(async (folder) => {
        const saved: string[] = [];
        bob.registerByteStreamHandler("", async (reader) => void saved.push((await reader.saveTo(folder)).path));
        for (const size of [10, 20_000, 300_000]) await alice.sendBytes(pattern(size), { name: "re/port.pdf" });
        assert.equal(saved, ["port.pdf", "port (2).pdf", "port (3).pdf"].map((name) => join(folder, name)));
        assert.equal(await Promise.all(saved.map(async (path) => (await stat(path)).size)), [10, 20_000, 300_000]);
        assert.equal((await readdir(folder)).length, 3);
      }), { runtime: options }));

  test(`saveTo: makes a missing folder whose path ends in a slash, ${codec}`, () =>
    inPair((alice, bob) =>
      inTemporaryFolder(async (folder) => {
        const saved: { path: string; bytes: number }[] = [];
        const targets = [`${join(folder, "new", "deep")}/`, pathToFileURL(`${join(folder, "other")}/`)];
        bob.registerByteStreamHandler("", async (reader) => {
          saved.push(await reader.saveTo(targets[saved.length] ?? ""));
        });
        for (let i = 0; i < 2; i++) await alice.sendBytes(pattern(70_000), { name: "a.bin" });
        assert.equal(saved, [
          { path: join(folder, "new", "deep", "a.bin"), bytes: 70_000 },
          { path: join(folder, "other", "a.bin"), bytes: 70_000 },
        ]);
      }), { runtime: options }));
}

test("saveTo: a file path is used whatever name the sender gives", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "mine.bin");
      bob.registerByteStreamHandler("", async (reader) => void await reader.saveTo(path));
      await alice.sendBytes(pattern(0), { name: "theirs.bin" });
      assert.equal(await readdir(folder), ["mine.bin"]);
      assert.is((await stat(path)).size, 0);
    })
  ));

test("saveTo: an existing path is file-exists without overwrite, and keeps its content", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "x");
      await writeFile(path, "old");
      const ends: string[] = [];
      let overwrite = false;
      bob.registerByteStreamHandler("", async (reader) => {
        await reader.saveTo(path, { overwrite }).then(({ bytes }) => ends.push(`${bytes}`), (error) => ends.push(error.code));
      });
      await rejection(() => alice.sendBytes(pattern(30_000)), "file-exists");
      assert.is(await readFile(path, "utf8"), "old");
      overwrite = true;
      await alice.sendBytes(pattern(30_000));
      assert.equal(new Uint8Array(await readFile(path)), pattern(30_000));
      assert.equal(ends, ["file-exists", "30000"]);
      assert.equal(await readdir(folder), ["x"]);
    })
  ));

test("saveTo: a failure leaves no file, and the sender is told", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      await mkdir(join(folder, "in"));
      const errors: unknown[] = [];
      const targets = [join(folder, "missing", "x"), join(folder, "in")];
      bob.registerByteStreamHandler("", async (reader) => {
        const error = await reader.saveTo(targets[errors.length] ?? "").catch((error) => error);
        errors.push(error);
      });
      const missing = await rejection(() => alice.sendBytes(pattern(30_000), { name: "x" }), "file-error");
      assert.is(missing.identity, "bob");
      await rejection(() => alice.sendBytes(pattern(30_000), { name: ".." }), "unsafe-name");
      assert.equal(errors.map((error) => (error as { code: string }).code), ["file-error", "unsafe-name"]);
      assert.instance((errors[0] as Error).cause, Error);
      assert.equal(await readdir(folder), ["in"]);
      assert.equal(await readdir(join(folder, "in")), []);
    })
  ));

test("saveTo: follows no symbolic link at the target path", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "victim"), "precious");
      await mkdir(join(folder, "in"));
      await symlink(join(folder, "victim"), join(folder, "in", "x"));
      const saved: string[] = [];
      bob.registerByteStreamHandler("", async (reader) => void saved.push((await reader.saveTo(join(folder, "in"))).path));
      await alice.sendBytes(pattern(10), { name: "x" });
      assert.equal(saved, [join(folder, "in", "x (2)")]);
      assert.is(await readFile(join(folder, "victim"), "utf8"), "precious");
    })
  ));

test("saveTo: while saving, a part file exists and the final name does not", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      bob.registerByteStreamHandler("", async (reader) => void await reader.saveTo(folder));
      const writer = await alice.streamBytes({ name: "x.bin", confirm: true });
      await writer.write(pattern(100_000));
      let names: string[] = [];
      while (names.length === 0) names = await readdir(folder);
      assert.is(names.length, 1);
      assert.match(names[0] ?? "", /^x\.bin\..+\.part$/);
      await writer.close();
      assert.equal(await readdir(folder), ["x.bin"]);
    })
  ));

test("saveTo: onProgress ends with all bytes; a callback that throws is reported", () =>
  inPair((alice, bob, room) =>
    inTemporaryFolder(async (folder) => {
      const told: Progress[] = [];
      bob.registerByteStreamHandler("", async (reader) => {
        await reader.saveTo(folder, {
          onProgress: (progress) => {
            told.push(progress);
            throw new Error("no bar");
          },
        });
      });
      await alice.sendBytes(pattern(400_000), { name: "x" });
      await until(() => told.at(-1)?.bytes === 400_000);
      assert.is(told.at(-1)?.percent, 100);
      assert.is(room.told("bob").length, told.length);
      assert.is((room.told("bob")[0]?.error.cause as Error | undefined)?.message, "no bar");
      assert.equal(await readdir(folder), ["x"]);
    })
  ));

test("saveTo: a file goes from disk to disk", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      for (const size of [0, 1, 15_000, 15_001, 240_000, 1_000_003]) {
        const source = join(folder, `${size}.bin`);
        await writeFile(source, pattern(size, size + 1));
        const topic = `${size}`;
        bob.registerByteStreamHandler(topic, async (reader) => void await reader.saveTo(join(folder, "in/")));
        const progress: Progress[] = [];
        const info = await alice.sendFile(source, { topic, onProgress: (step) => void progress.push(step) });
        assert.equal(info.receipts, [{ identity: "bob", bytes: size }]);
        assert.is(progress.at(-1)?.bytes, size);
        assert.equal(new Uint8Array(await readFile(join(folder, "in", `${size}.bin`))), pattern(size, size + 1));
      }
    })
  ));

test("saveTo: when close() has resolved, unfinished saves are gone", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const saving = new Promise<Error>((resolve, reject) => {
        bob.registerByteStreamHandler(
          "",
          (reader) => reader.saveTo(folder).then(() => reject(new Error("It was saved")), resolve),
        );
      });
      const writer = await alice.streamBytes({ name: "half.bin" });
      await writer.write(pattern(500_000));
      await until(async () => (await readdir(folder)).length === 1);
      await bob.close();
      assert.equal(await readdir(folder), []);
      assert.is((await saving as StreamError).code, "disconnected");
    })
  ));

test.run();
