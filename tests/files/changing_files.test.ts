// Files that report a wrong size or change while they are sent: a short or mixed file never gets a receipt.
import { appendFile, open, readFile, rename, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { CodecPool, Runtime, StreamError } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("sendFile: changing files");

const SIZE = 6_000_000;
const toBob = { topic: "f", destinationIdentities: ["bob"] };

/** Ways to leave other data at the path than when the file was opened. */
const CHANGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  "rewritten in place": (path) => rewrite(path, 0, pattern(SIZE, 9)),
  "one byte at the end rewritten": (path) => rewrite(path, SIZE - 1, new Uint8Array([1])),
  "one byte that was sent already rewritten": (path) => rewrite(path, 0, new Uint8Array([255])),
  "made longer": (path) => appendFile(path, "more"),
  "made shorter": (path) => truncate(path, SIZE - 1),
  "emptied": (path) => truncate(path, 0),
  "replaced by another": async (path) => {
    await writeFile(`${path}.new`, pattern(SIZE, 9));
    await rename(`${path}.new`, path);
  },
};

async function rewrite(path: string, position: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.write(bytes, 0, bytes.length, position);
  } finally {
    await handle.close();
  }
}

/** A file written long ago: its time shows each change, however coarse the clock is. */
async function oldFile(path: string): Promise<void> {
  await writeFile(path, pattern(SIZE));
  await utimes(path, 1_000_000_000, 1_000_000_000);
}

for (const [threads, options] of [["workers", {}], ["no workers", { pool: false as CodecPool | false }]] as const) {
  for (const [what, change] of Object.entries(CHANGES)) {
    test(`sendFile by ${threads}: a file that is ${what} during the send is a file-error at the sender, and not whole at the receiver`, () =>
      inTemporaryFolder((folder) =>
        inPair(async (alice, bob) => {
          const path = join(folder, "data.bin");
          await oldFile(path);
          let started = false;
          let goOn: () => void = () => {};
          const changed = new Promise<void>((resolve) => (goOn = resolve));
          const end = new Promise<string>((resolve) => {
            bob.registerByteStreamHandler("f", async (reader) => {
              try {
                for await (const _ of reader) {
                  started = true;
                  await changed;
                }
                resolve("whole");
              } catch (error) {
                resolve((error as StreamError).code);
              }
            });
          });
          const sent = rejection(() => alice.sendFile(path, toBob), "file-error");
          await until(() => started);
          await change(path);
          goOn();
          const error = await sent;
          assert.match(error.message, /changed|another|shorter/);
          assert.is(await end, "aborted");
        }, { runtime: options })
      ));
  }
}

async function received(alice: Runtime, bob: Runtime, path: string): Promise<{ bytes: Uint8Array; receipt: number | undefined }> {
  const whole = new Promise<Uint8Array>((resolve, reject) => {
    bob.registerByteStreamHandler("f", (reader) => reader.readAll().then(resolve, reject));
  });
  const { receipts } = await alice.sendFile(path, toBob);
  return { bytes: await whole, receipt: receipts?.[0]?.bytes };
}

test("sendFile: an empty file arrives empty", () =>
  inTemporaryFolder((folder) =>
    inPair(async (alice, bob) => {
      const path = join(folder, "empty");
      await writeFile(path, "");
      assert.equal(await received(alice, bob, path), { bytes: new Uint8Array(), receipt: 0 });
    })
  ));

for (const path of ["/proc/version", "/proc/self/limits", "/proc/filesystems"]) {
  test(`sendFile: ${path}, which has data but reports size 0, arrives whole`, () =>
    inPair(async (alice, bob) => {
      if (process.platform !== "linux") return assert.ok(true, "there is no /proc");
      const { bytes, receipt } = await received(alice, bob, path);
      assert.ok(bytes.length > 0);
      assert.is(receipt, bytes.length);
      assert.is(new TextDecoder().decode(bytes), await readFile(path, "utf8"));
    }));
}

test("sendFile: a file that reports size 0 must match the announced totalSize", () =>
  inPair(async (alice, bob) => {
    if (process.platform !== "linux") return assert.ok(true, "there is no /proc");
    bob.registerByteStreamHandler("f", (reader) => reader.readAll().then(() => {}, () => {}));
    const { length } = await readFile("/proc/version");
    await rejection(() => alice.sendFile("/proc/version", { ...toBob, totalSize: length - 1 }), "too-large");
    await rejection(() => alice.sendFile("/proc/version", { ...toBob, totalSize: length + 1 }), "incomplete");
    await alice.sendFile("/proc/version", { ...toBob, totalSize: length });
  }));

test.run();
