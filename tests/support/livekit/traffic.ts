// Open streams of every kind between two participants, and their ends at either side.
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { StreamError } from "../../../errors.ts";
import type { StreamErrorCode } from "../../../errors.ts";
import { pause } from "../waiting.ts";
import type { ByteStreamReader, Limits, Runtime, TextStreamReader } from "../../../mod.ts";

/** Limits of the tests of faults: a third of the defaults, so that silence is detected while a test waits. */
export const FAULT_LIMITS: Partial<Limits> = { idleTimeout: 10_000, foreignIdleTimeout: 15_000 };

export type Ending = StreamErrorCode | "whole";

/** Text written word by word, framed bytes from an endless source, a file. */
export const KINDS = ["text", "bytes", "file"] as const;
export type Kind = (typeof KINDS)[number];
export type Endings = Record<Kind, Ending>;

const BLOCK_BYTES = 30_000;
const WORD_MS = 20;

/** Bytes of a file: more than go through a room while a test lasts. */
const LONG_FILE = 200_000_000;

/** Streams that one participant sends to another until `finish` is called. */
export class Sending {
  readonly ended: Promise<Endings>;
  #finished = false;

  /** `fileBytes`: by default the file never comes to its end. */
  constructor(runtime: Runtime, to: string, folder: string, fileBytes: number = LONG_FILE) {
    const target = (kind: Kind): { topic: string; destinationIdentities: string[] } => ({
      topic: kind,
      destinationIdentities: [to],
    });
    this.ended = together({
      text: ending(this.#sendWords(runtime, target("text"))),
      bytes: ending(runtime.sendBytes(this.#blocks(), target("bytes"))),
      file: ending(sendFile(runtime, target("file"), join(folder, `to ${to}.bin`), fileBytes)),
    });
  }

  /** Lets all streams come to their end, unless they fail before. */
  finish(): void {
    this.#finished = true;
  }

  async #sendWords(runtime: Runtime, options: { topic: string; destinationIdentities: string[] }): Promise<void> {
    const writer = await runtime.streamText(options);
    for (let n = 0; !this.#finished; n++) {
      await writer.write(word(n));
      await pause(WORD_MS);
    }
    await writer.close();
  }

  async *#blocks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; !this.#finished; at += BLOCK_BYTES) yield bytesAt(at, BLOCK_BYTES);
  }
}

/** Streams that a participant receives of a `Sending`: each arrives whole and right, or fails with a code. */
export class Receiving {
  readonly ended: Promise<Endings>;
  /** Resolves when something of each has come. */
  readonly begun: Promise<void>;

  constructor(runtime: Runtime, folder: string) {
    const begins: Promise<void>[] = [];
    const endings = {} as Record<Kind, Promise<Ending>>;
    const receive = <Reader>(kind: Kind, read: (reader: Reader, begin: () => void) => Promise<unknown>) => {
      let begin: () => void = () => {};
      begins.push(new Promise((resolve) => begin = resolve));
      let take: (reader: Reader) => void = () => {};
      endings[kind] = ending(new Promise<Reader>((resolve) => take = resolve).then((reader) => read(reader, begin)));
      return (reader: Reader): void => take(reader);
    };
    runtime.registerTextStreamHandler("text", receive<TextStreamReader>("text", readWords));
    runtime.registerByteStreamHandler("bytes", receive<ByteStreamReader>("bytes", readBlocks));
    runtime.registerByteStreamHandler("file", receive<ByteStreamReader>("file", (reader, begin) => save(reader, folder, begin)));
    this.begun = Promise.all(begins).then(() => undefined);
    this.ended = together(endings);
  }
}

async function together(endings: Record<Kind, Promise<Ending>>): Promise<Endings> {
  const [text, bytes, file] = await Promise.all(KINDS.map((kind) => endings[kind]));
  return { text, bytes, file } as Endings;
}

async function ending(work: Promise<unknown>): Promise<Ending> {
  try {
    await work;
    return "whole";
  } catch (error) {
    if (error instanceof StreamError) return error.code;
    throw error;
  }
}

async function sendFile(
  runtime: Runtime,
  options: { topic: string; destinationIdentities: string[] },
  path: string,
  bytes: number,
): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.write(bytesAt(0, Math.min(bytes, 1_000_000)));
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
  await runtime.sendFile(path, options);
}

async function readWords(reader: TextStreamReader, begin: () => void): Promise<void> {
  let text = "";
  for await (const part of reader) {
    text += part;
    begin();
  }
  let words = "";
  for (let n = 0; words.length < text.length; n++) words += word(n);
  assert.is(text, words);
}

async function readBlocks(reader: ByteStreamReader, begin: () => void): Promise<void> {
  let at = 0;
  for await (const part of reader) {
    assertPattern(part, at);
    at += part.length;
    begin();
  }
  assert.is(at % BLOCK_BYTES, 0);
}

async function save(reader: ByteStreamReader, folder: string, begin: () => void): Promise<void> {
  const { path, bytes } = await reader.saveTo(`${folder}/`, {
    onProgress: (progress: { bytes: number }) => {
      if (progress.bytes > 0) begin();
    },
  });
  const content = new Uint8Array(await readFile(path));
  assert.is(content.length, bytes);
  assertPattern(content, 0);
}

function word(n: number): string {
  return `word ${n} of the stream, and `;
}

/** Not by assert.equal: its output of two long arrays takes longer than the test. */
function assertPattern(content: Uint8Array, offset: number): void {
  const right = bytesAt(offset, content.length);
  const wrong = content.findIndex((byte, i) => byte !== right[i]);
  assert.is(wrong, -1, `byte ${offset + wrong} is wrong`);
}

/** Content of the stream of bytes from an offset on. */
function bytesAt(offset: number, bytes: number): Uint8Array {
  const content = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) content[i] = Math.imul(offset + i, 2_654_435_761) >>> 24;
  return content;
}
