// Files in a page, between two runtimes of it: sent as File and as handle, saved to folders and handles of the origin's own file system.
import * as assert from "uvu/assert";
import {
  type ByteStreamReader,
  createHub,
  createRuntime,
  type PageFileHandle,
  type Runtime,
  type RuntimeOptions,
  type SaveTarget,
} from "../../../browser.ts";
import type { StreamErrorCode } from "../../../errors.ts";
import type { WorkerPool } from "../../../workers/pool/pool.ts";
import { difference, pattern } from "../../support/bytes.ts";
import { suite } from "../../support/browser/page_harness.ts";
import { createCodecPool, sharedCodecPool } from "../../support/browser/page_platform.ts";
import { rejection } from "../../support/rejections.ts";

const test = suite("files of a page");

const BOTH: readonly (readonly [string, RuntimeOptions["pool"]])[] = [["a pool", sharedCodecPool()], ["no pool", false]];

for (const [name, pool] of BOTH) {
  test(`sendFile: a File arrives with its name, type, size and bytes, with ${name}`, () =>
    inPair(async ({ alice, bob }) => {
      for (const size of [0, 1, 32_768, 1_000_000]) {
        const received = next(bob, async (reader) => ({ info: reader.info, bytes: await reader.readAll() }));
        const bytes = pattern(size);
        const info = await alice.sendFile(new File([bytes], "notes.csv", { type: "text/csv" }), { topic: "files" });
        const got = await received;
        assert.is(difference(got.bytes, bytes), "none");
        assert.equal([got.info.name, got.info.mimeType, got.info.size], ["notes.csv", "text/csv", size]);
        assert.equal(info.receipts, [{ identity: "bob", bytes: size }]);
      }
    }, { pool }));

  test(`sendFile, saveTo: a handle's file goes from folder to folder, with ${name}`, () =>
    inPair(async ({ alice, bob, folder }) => {
      const bytes = pattern(700_000, 3);
      const handle = await fileIn(folder, "report.pdf", bytes);
      const inbox = await folder.getDirectoryHandle("inbox", { create: true });
      const saved = next(bob, (reader) => reader.saveTo(inbox));
      await alice.sendFile(handle, { topic: "files" });
      assert.equal(await saved, { path: "report.pdf", bytes: 700_000 });
      assert.is(difference(await contents(inbox, "report.pdf"), bytes), "none");
      assert.equal(await names(inbox), ["report.pdf"]);
    }, { pool }));

  test(`saveTo: compressed contents are whole, with ${name}`, () =>
    inPair(async ({ alice, bob, folder }) => {
      const bytes = new TextEncoder().encode("a line of text, again and again\n".repeat(60_000));
      const saved = next(bob, (reader) => reader.saveTo(folder));
      await alice.sendFile(new File([bytes], "log.txt"), { topic: "files", compress: true });
      await saved;
      assert.is(difference(await contents(folder, "log.txt"), bytes), "none");
    }, { pool, rate: 2e6 }));
}

test("saveTo: workers write the origin's own files; without a pool the page does", async () => {
  for (const [name, pool] of BOTH) {
    await inPair(async ({ alice, bob, folder }) => {
      const { calls, restore } = countWritables();
      try {
        const saved = next(bob, (reader) => reader.saveTo(folder));
        await alice.sendBytes(pattern(600_000, 5), { topic: "files", name: "a.bin" });
        await saved;
        assert.is(calls(), name === "no pool" ? 1 : 0, name);
      } finally {
        restore();
      }
      assert.is(difference(await contents(folder, "a.bin"), pattern(600_000, 5)), "none");
    }, { pool });
  }
});

test("saveTo: a file is whole though a worker that writes it dies", async () => {
  const pool = createCodecPool({ size: 2 }) as WorkerPool;
  await inPair(async ({ alice, bob, folder }) => {
    let kills = 0;
    const onProgress = (): void => {
      if (kills === 0 && pool.running > 0 && pool.kill(0)) kills++; // a job is tried twice, so that a second death would fail it
    };
    const saved = next(bob, (reader) => reader.saveTo(folder, { onProgress }));
    const bytes = pattern(6_000_000, 6);
    await alice.sendBytes(bytes, { topic: "files", name: "a.bin" });
    await saved;
    assert.is(difference(await contents(folder, "a.bin"), bytes), "none");
    assert.equal([await names(folder), kills], [["a.bin"], 1]);
  }, { pool });
  await pool.close();
}, { seconds: 30 });

test("saveTo: a file is whole though no worker can be started", async () => {
  const pool = createCodecPool({ size: 2, worker: () => new Worker("/missing.js", { type: "module" }) });
  await inPair(async ({ alice, bob, folder }) => {
    for (const name of ["first.bin", "second.bin"]) {
      const saved = next(bob, (reader) => reader.saveTo(folder));
      await alice.sendBytes(pattern(1_500_000, 7), { topic: "files", name });
      await saved;
      assert.is(difference(await contents(folder, name), pattern(1_500_000, 7)), "none");
    }
  }, { pool });
  await pool.close();
}, { seconds: 30 });

test("saveTo: a name that is taken gets a number, a folder of that name too", () =>
  inPair(async ({ alice, bob, folder }) => {
    await fileIn(folder, "a.txt", pattern(3));
    await folder.getDirectoryHandle("a (2).txt", { create: true });
    const saved = next(bob, (reader) => reader.saveTo(folder));
    await alice.sendFile(new File(["hello"], "a.txt"), { topic: "files" });
    assert.is((await saved).path, "a (3).txt");
    assert.equal(await names(folder), ["a (2).txt", "a (3).txt", "a.txt"]);
    assert.is(difference(await contents(folder, "a.txt"), pattern(3)), "none");
  }));

test("saveTo: overwrite replaces the file of the sender's name", () =>
  inPair(async ({ alice, bob, folder }) => {
    await fileIn(folder, "a.txt", pattern(300));
    const saved = next(bob, (reader) => reader.saveTo(folder, { overwrite: true }));
    await alice.sendFile(new File(["hello"], "a.txt"), { topic: "files" });
    assert.is((await saved).path, "a.txt");
    assert.is(new TextDecoder().decode(await contents(folder, "a.txt")), "hello");
    assert.equal(await names(folder), ["a.txt"]);
  }));

test("saveTo: hostile names are made safe", () =>
  inPair(async ({ alice, bob, folder }) => {
    for (const [name, safe] of [["../../x?.txt", "x_.txt"], ["C:\\a\\b.txt", "b.txt"], ["", "file.bin"]] as const) {
      const saved = next(bob, (reader) => reader.saveTo(folder));
      await alice.sendBytes(pattern(10), { topic: "files", name });
      assert.is((await saved).path, safe, name);
    }
    const refused = next(bob, (reader) => codeOf(reader.saveTo(folder)));
    await alice.sendBytes(pattern(10), { topic: "files", name: "..", confirm: false }).catch(() => {});
    assert.is(await refused, "unsafe-name");
  }));

test("saveTo: a handle's file with contents needs overwrite, an empty one does not", () =>
  inPair(async ({ alice, bob, folder }) => {
    const handle = await fileIn(folder, "mine.bin", pattern(5));
    const refused = next(bob, (reader) => codeOf(reader.saveTo(handle)));
    await rejection(() => alice.sendFile(new File(["new"], "x"), { topic: "files" }), "file-exists");
    assert.is(await refused, "file-exists");
    assert.is(difference(await contents(folder, "mine.bin"), pattern(5)), "none");
    const replaced = next(bob, (reader) => reader.saveTo(handle, { overwrite: true }));
    await alice.sendFile(new File(["new"], "x"), { topic: "files" });
    assert.equal(await replaced, { path: "mine.bin", bytes: 3 });
    assert.is(new TextDecoder().decode(await contents(folder, "mine.bin")), "new");
    const empty = await fileIn(folder, "empty.bin", pattern(0));
    const filled = next(bob, (reader) => reader.saveTo(empty));
    await alice.sendFile(new File(["now"], "x"), { topic: "files" });
    assert.is((await filled).bytes, 3);
  }));

test("saveTo: a stream that fails leaves nothing in a folder, and a handle's file as it was", () =>
  inPair(async ({ alice, bob, folder }) => {
    const handle = await fileIn(folder, "mine.bin", pattern(5));
    const inbox = await folder.getDirectoryHandle("inbox", { create: true });
    for (const target of [inbox, handle]) {
      const failed = next(bob, (reader) => codeOf(reader.saveTo(target, { overwrite: true })));
      const writer = await alice.streamBytes({ topic: "files", name: "half.bin" });
      await writer.write(pattern(500_000));
      await writer.abort("changed my mind");
      assert.is(await failed, "aborted");
    }
    assert.equal(await names(inbox), []);
    assert.is(difference(await contents(folder, "mine.bin"), pattern(5)), "none");
  }));

test("saveTo: two files of one name that come at once have two names", () =>
  inPair(async ({ alice, bob, folder }) => {
    const saved: Promise<{ path: string }>[] = [];
    bob.registerByteStreamHandler("files", async (reader) => {
      const saving = reader.saveTo(folder);
      saved.push(saving);
      await saving;
    });
    const sizes = [400_000, 300_000, 200_000];
    await Promise.all(sizes.map((size) => alice.sendBytes(pattern(size, size), { topic: "files", name: "same.bin" })));
    const paths = (await Promise.all(saved)).map(({ path }) => path).sort();
    assert.equal(paths, ["same (2).bin", "same (3).bin", "same.bin"]);
    const lengths = await Promise.all(paths.map(async (path) => (await contents(folder, path)).length));
    assert.equal(lengths.sort((one, other) => one - other), [200_000, 300_000, 400_000]);
  }));

test("sendFile, saveTo: values of other kinds are invalid arguments that say what a page takes", () =>
  inPair(async ({ alice, bob, folder }) => {
    for (const path of ["/home/me/a.txt", new URL("file:///a.txt"), 5, null, {}, folder] as string[]) {
      const { message } = await rejection(() => alice.sendFile(path, { topic: "files" }), "invalid-argument");
      assert.match(message, /File/);
    }
    const tried = next(bob, async (reader) => {
      const messages: string[] = [];
      for (const path of ["/tmp/", new URL("file:///tmp/"), 5, null, {}] as SaveTarget[]) {
        messages.push((await rejection(() => reader.saveTo(path), "invalid-argument")).message);
      }
      await reader.saveTo(folder); // nothing was consumed
      return messages;
    });
    await alice.sendBytes(pattern(100), { topic: "files", name: "at last" });
    for (const message of await tried) assert.match(message, /FileSystemDirectoryHandle/);
    assert.equal(await names(folder), ["at last"]);
  }));

test("sendFile: a file that was written to after it was opened is a file-error", () =>
  inPair(async ({ alice, bob, folder }) => {
    const handle = await fileIn(folder, "growing.log", pattern(1_000_000));
    const file = await handle.getFile();
    await fileIn(folder, "growing.log", pattern(2_000_000));
    next(bob, (reader) => codeOf(reader.readAll())).catch(() => {});
    const { cause } = await rejection(() => alice.sendFile(file, { topic: "files" }), "file-error");
    assert.instance(cause, Error);
  }));

test("reader.blob(): has the bytes and the type", () =>
  inPair(async ({ alice, bob }) => {
    const blob = next(bob, (reader) => reader.blob());
    await alice.sendBytes(pattern(50_000), { topic: "files", mimeType: "image/png" });
    assert.equal([(await blob).size, (await blob).type], [50_000, "image/png"]);
    assert.is(difference(new Uint8Array(await (await blob).arrayBuffer()), pattern(50_000)), "none");
  }));

test("sendText: attachments are Files that arrive on the same topic", () =>
  inPair(async ({ alice, bob }) => {
    const file = next(bob, async (reader) => ({ id: reader.info.streamId, bytes: await reader.readAll() }));
    const text = new Promise<string[]>((resolve) => {
      bob.registerTextStreamHandler("files", async (reader) => {
        resolve([await reader.readAll(), ...reader.info.attachments]);
      });
    });
    await alice.sendText("see there", { topic: "files", attachments: [new File([pattern(40_000)], "a.bin")] });
    const { id, bytes } = await file;
    assert.equal(await text, ["see there", id]);
    assert.is(difference(bytes, pattern(40_000)), "none");
  }));

test.run();

interface Pair {
  readonly alice: Runtime;
  readonly bob: Runtime;
  /** Empty folder of the test. */
  readonly folder: FileSystemDirectoryHandle;
}

async function inPair(
  body: (pair: Pair) => Promise<void>,
  { pool = sharedCodecPool(), rate }: { pool?: RuntimeOptions["pool"]; rate?: number } = {},
): Promise<void> {
  const hub = createHub(rate === undefined ? {} : { link: { kind: "reliable", rate, delay: 1 } });
  const options = { pool: pool ?? false, onError: () => {} };
  const alice = await createRuntime({ transport: hub.join("alice"), ...options });
  const bob = await createRuntime({ transport: hub.join("bob"), ...options });
  const root = await navigator.storage.getDirectory();
  const name = crypto.randomUUID();
  const folder = await root.getDirectoryHandle(name, { create: true });
  try {
    await body({ alice, bob, folder });
  } finally {
    await alice.close();
    await bob.close();
    await root.removeEntry(name, { recursive: true });
  }
}

/** Result of the handler of bob's next byte stream. */
function next<T>(bob: Runtime, handle: (reader: ByteStreamReader) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    bob.registerByteStreamHandler("files", async (reader) => {
      bob.unregisterByteStreamHandler("files");
      const handled = handle(reader);
      handled.then(resolve, reject);
      await handled;
    });
  });
}

async function codeOf(work: Promise<unknown>): Promise<StreamErrorCode | "none"> {
  try {
    await work;
    return "none";
  } catch (error) {
    return (error as { code: StreamErrorCode }).code;
  }
}

async function fileIn(
  folder: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<FileSystemFileHandle & PageFileHandle> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writer = await handle.createWritable();
  await writer.write(bytes);
  await writer.close();
  return handle;
}

/** Counts the calls of `createWritable` until `restore`. */
function countWritables(): { calls: () => number; restore: () => void } {
  const { prototype } = FileSystemFileHandle;
  const { createWritable } = prototype;
  let calls = 0;
  prototype.createWritable = function (...args) {
    calls++;
    return createWritable.apply(this, args);
  };
  return {
    calls: () => calls,
    restore: () => {
      prototype.createWritable = createWritable;
    },
  };
}

async function contents(folder: FileSystemDirectoryHandle, name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer());
}

async function names(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const found: string[] = [];
  for await (const name of folder.keys()) found.push(name);
  return found.sort();
}
