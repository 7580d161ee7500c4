// Values of any class that holds bytes, of this realm and of another: jest, `vm` contexts and Electron's windows have their own classes.
import { runInNewContext, runInThisContext } from "node:vm";
import * as assert from "uvu/assert";
import type { ByteSource, ByteStreamWriter, Runtime, SendBytesOptions } from "../../mod.ts";
import {
  isAbortSignal,
  isBlob,
  isError,
  isFile,
  isReadableStream,
  isThenable,
  isUint8Array,
  isUrl,
} from "../../common/realms.ts";
import { suite } from "../support/harness.ts";
import { nextWhole } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("realms");

type Evaluate = (code: string) => unknown;

const REALMS: Readonly<Record<string, Evaluate>> = {
  "this realm": (code) => runInThisContext(code) as unknown,
  "another realm": (code) => runInNewContext(code) as unknown,
};

/** Values with bytes: each holds 1 to 8. */
const AT_HAND: readonly string[] = [
  "new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])",
  "new Uint8Array([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]).subarray(3, 11)",
  "new Uint8ClampedArray([1, 2, 3, 4, 5, 6, 7, 8])",
  "new Int8Array([1, 2, 3, 4, 5, 6, 7, 8])",
  "new Uint16Array(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer)",
  "new Uint16Array(new Uint8Array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).buffer, 2, 4)",
  "new Int32Array(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer)",
  "new Float32Array(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer)",
  "new Float64Array(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer)",
  "new BigUint64Array(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer)",
  "new DataView(new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]).buffer, 1, 8)",
  "new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer",
  "(() => { const memory = new SharedArrayBuffer(8); new Uint8Array(memory).set([1, 2, 3, 4, 5, 6, 7, 8]); return memory; })()",
  "(() => { const bytes = new Uint8Array(new SharedArrayBuffer(9), 1); bytes.set([1, 2, 3, 4, 5, 6, 7, 8]); return bytes; })()",
  "(() => { const memory = new ArrayBuffer(4, { maxByteLength: 16 }); const bytes = new Uint8Array(memory);" +
  " if (memory.resizable) memory.resize(8); const all = memory.resizable ? bytes : new Uint8Array(8);" +
  " all.set([1, 2, 3, 4, 5, 6, 7, 8]); return all; })()",
];

/** Sources of bytes: each yields 1 to 8. */
const IN_PARTS: readonly string[] = [
  "[new Uint8Array([1, 2, 3]), new Uint8Array(0), new Uint8Array([4, 5, 6, 7, 8]).buffer]",
  "new Set([new Uint8Array([1, 2, 3]), new DataView(new Uint8Array([4, 5, 6, 7, 8]).buffer)])",
  "(function* () { yield new Uint8Array([1, 2, 3]); yield new Uint16Array(new Uint8Array([4, 5, 6, 7]).buffer); yield new Int8Array([8]); })()",
  "(async function* () { yield new Uint8Array([1, 2, 3]); yield new Uint8Array([4, 5, 6, 7, 8]).buffer; })()",
];

/** Values without bytes, or whose bytes are gone. */
const NO_BYTES: readonly string[] = [
  "5",
  "null",
  "undefined",
  "'text'",
  "new String('text')",
  "{}",
  "({ byteLength: 8, byteOffset: 0, buffer: new ArrayBuffer(8) })",
  "({ [Symbol.toStringTag]: 'Uint8Array', length: 8 })",
  "({ [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 8 })",
  "[1, 2, 3]",
  "[new Uint8Array(1), 'text']",
  "new Map([[1, new Uint8Array(1)]])",
];

const EXPECTED = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

/** Bytes that arrive of a value that is sent. */
async function sent(alice: Runtime, bob: Runtime, value: unknown, options: SendBytesOptions = {}): Promise<Uint8Array> {
  const whole = nextWhole(bob, "t");
  await alice.sendBytes(value as ByteSource, { topic: "t", ...options });
  bob.unregisterByteStreamHandler("t");
  return await whole;
}

for (const [realm, evaluate] of Object.entries(REALMS)) {
  test(`sendBytes: all kinds of bytes are sent unchanged, of ${realm}`, () =>
    inPair(async (alice, bob) => {
      for (const code of AT_HAND) assert.equal(await sent(alice, bob, evaluate(code), { totalSize: 8 }), EXPECTED, code);
    }));

  test(`ByteStreamWriter.write(): all kinds of bytes are written unchanged, of ${realm}`, () =>
    inPair(async (alice, bob) => {
      const whole = nextWhole(bob, "t");
      const writer = await alice.streamBytes({ topic: "t" });
      for (const code of AT_HAND) await writer.write(evaluate(code) as Uint8Array);
      const stream = writer.writable.getWriter();
      for (const code of AT_HAND) await stream.write(evaluate(code) as Uint8Array);
      await stream.close();
      const bytes = await whole;
      assert.is(bytes.length, 2 * AT_HAND.length * 8);
      for (let at = 0; at < bytes.length; at += 8) {
        assert.equal(bytes.subarray(at, at + 8), EXPECTED, AT_HAND[at / 8 % AT_HAND.length]);
      }
    }));

  test(`sendBytes: sources of bytes are read to their end, of ${realm}`, () =>
    inPair(async (alice, bob) => {
      for (const code of IN_PARTS) assert.equal(await sent(alice, bob, evaluate(code)), EXPECTED, code);
    }));

  test(`sendBytes: values without bytes are an invalid argument, of ${realm}`, () =>
    inPair(async (alice, bob) => {
      let heard = 0;
      bob.registerByteStreamHandler("t", () => void heard++);
      for (const code of NO_BYTES) {
        await rejection(() => alice.sendBytes(evaluate(`(${code})`) as ByteSource, { topic: "t" }), "invalid-argument");
      }
      const writer = await alice.streamBytes({ topic: "other" });
      for (const code of NO_BYTES) await refused(writer, evaluate(`(${code})`));
      await writer.close();
      assert.ok(heard <= 2, "iterables are seen to hold no bytes when they are read; all else before anything is sent");
    }));
}

/** A value is refused before the writer does anything. */
async function refused(writer: ByteStreamWriter, value: unknown): Promise<void> {
  await rejection(() => writer.write(value as Uint8Array), "invalid-argument");
}

test("sendBytes: a detached buffer is an invalid argument, not an empty stream", () =>
  inPair(async (alice) => {
    for (const view of [new Uint8Array(8), new DataView(new ArrayBuffer(8)), new Uint8Array(8).buffer]) {
      structuredClone(null, { transfer: ["buffer" in view ? view.buffer as ArrayBuffer : view] });
      await rejection(() => alice.sendBytes(view), "invalid-argument");
    }
  }));

test("sendBytes: an array of parts announces its size", () =>
  inPair(async (alice) => {
    const info = await alice.sendBytes([new Uint8Array(3), new Float64Array(2)]);
    assert.is(info.size, 19);
    await rejection(() => alice.sendBytes([new Uint8Array(3)], { totalSize: 4 }), "incomplete");
  }));

test("sendBytes: an unfinished generator is told, and one that throws fails the stream", () =>
  inPair(async (alice, bob) => {
    bob.registerByteStreamHandler("t", async (reader) => void await reader.readAll().catch(() => {}));
    let left = false;
    function* wrong(): Generator<Uint8Array> {
      try {
        yield new Uint8Array(1);
        yield 5 as unknown as Uint8Array;
      } finally {
        left = true;
      }
    }
    await rejection(() => alice.sendBytes(wrong(), { topic: "t" }), "invalid-argument");
    await until(() => left);
    const thrown = new Error("no more");
    const error = await rejection(() =>
      alice.sendBytes(
        (function* () {
          yield new Uint8Array(1);
          throw thrown;
        })(),
        { topic: "t" },
      ), "aborted");
    assert.is(error.cause, thrown);
  }));

test("realms: blobs, files, streams, signals and URLs of another realm's classes count as such", () =>
  inPair(async (alice, bob) => {
    /** Classes of a library: their objects are no instances of the engine's. */
    const foreign = <T extends object>(tag: string, members: object): T => ({ [Symbol.toStringTag]: tag, ...members }) as T;
    const slice = (start: number, end: number): object => ({
      arrayBuffer: () => Promise.resolve(EXPECTED.slice(start, end).buffer),
    });
    const blob = { size: 8, type: "", slice, arrayBuffer: () => Promise.resolve(EXPECTED.slice().buffer) };
    assert.equal(await sent(alice, bob, foreign("Blob", blob)), EXPECTED);
    const file = foreign<File>("File", { ...blob, name: "a.txt" });
    assert.is((await alice.sendBytes(file)).name, "a.txt");
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    void writer.write(EXPECTED).then(() => writer.close());
    const own = { locked: false, getReader: () => readable.getReader(), cancel: () => readable.cancel() };
    assert.equal(await sent(alice, bob, own), EXPECTED);
    await rejection(() => alice.sendBytes({ ...own, locked: true } as ReadableStream<Uint8Array>), "invalid-argument");
    const controller = new AbortController();
    const { signal } = controller;
    const other = {
      get aborted() {
        return signal.aborted;
      },
      get reason() {
        return signal.reason as unknown;
      },
      addEventListener: signal.addEventListener.bind(signal),
      removeEventListener: signal.removeEventListener.bind(signal),
    } as unknown as AbortSignal;
    const open = await alice.streamBytes({ signal: other });
    controller.abort(runInNewContext("new Error('of another realm')"));
    const error = await rejection(() => open.close(), "aborted");
    assert.match(error.message, "of another realm");
    for (const no of [undefined, null, 5, "x", {}, []]) {
      for (const is of [isAbortSignal, isBlob, isError, isFile, isReadableStream, isThenable, isUint8Array, isUrl]) {
        assert.not(is(no));
      }
    }
    assert.ok(isUrl(new URL("file:///x")));
    assert.ok(isUint8Array(Buffer.from("x")));
    assert.not(isUint8Array(new Uint16Array(1)));
  }));

test("realms: rejections of another realm's promises, of handlers and callbacks, are reported", () =>
  inPair(async (alice, bob, room) => {
    const rejects = runInNewContext("async () => { throw new Error('elsewhere'); }") as () => Promise<void>;
    bob.registerTextStreamHandler("t", rejects);
    await alice.sendText("x", { topic: "t", onProgress: rejects as () => void });
    await until(() => room.told("bob").length > 0 && room.told("alice").length > 0);
    for (const { error } of [...room.told("bob"), ...room.told("alice")]) assert.match(error.message, "elsewhere");
  }));

test.run();
