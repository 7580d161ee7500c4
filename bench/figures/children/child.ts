// Measurements that need a process of their own: memory, and the import of mod.ts. Earlier work would show in them.
// Run by figures.ts, as `child.ts <name> <bytes>`; prints its result as JSON.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ByteStreamReader } from "../../../mod.ts";
import { MemoryProbe } from "../../memory_probe.ts";
import { heapUsed } from "../../support/heap.ts";
import { openPair, TO_BOB, TOPIC } from "../../pair.ts";
import { wait } from "../../probe.ts";
import { sparseFile } from "../../samples.ts";

/** Bytes that warm a process up: memory that a first stream takes for good is not growth. */
const WARM_BYTES = 64e6;

/** A writer without progress for this long counts as waiting, in ms. */
const STILL_MS = 500;

/** Result of a child. */
export interface Grown {
  /** Largest growth of the resident set, or growth of the heap, in bytes. */
  readonly growth: number;
  /** Bytes that the sender could write, or the receiver saved. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Sends a stream of `bytes` bytes to a reader that never reads. */
async function unread(bytes: number): Promise<Grown> {
  const pair = await openPair(undefined);
  const { alice, bob } = pair;
  const block = new Uint8Array(1e6).fill(1);
  const warm = await alice.streamBytes(TO_BOB);
  for (let at = 0; at < Math.min(WARM_BYTES, bytes); at += block.length) await warm.write(block);
  await warm.close();

  let held: ByteStreamReader | undefined;
  bob.registerByteStreamHandler("unread", (reader) => void (held = reader));
  const began = performance.now();
  const probe = new MemoryProbe();
  const writer = await alice.streamBytes({ ...TO_BOB, topic: "unread" });
  let written = 0;
  const writing = (async () => {
    for (; written < bytes; written += block.length) await writer.write(block);
  })();
  const stopped = writing.catch(() => {}); // by the abort below
  for (let seen = -1; seen !== written && written < bytes;) {
    seen = written;
    await wait(STILL_MS);
  }
  const growth = probe.stop();
  const seconds = (performance.now() - began) / 1000;
  await writer.abort();
  await stopped;
  await held?.cancel();
  await pair.close();
  return { growth, bytes: written, seconds };
}

/** Sends and saves a file of `bytes` bytes. */
async function file(bytes: number): Promise<Grown> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  try {
    const pair = await openPair(undefined);
    const { alice, bob } = pair;
    let saved = 0;
    bob.registerByteStreamHandler("save", async (reader) => {
      saved = (await reader.saveTo(join(folder, "saved"), { overwrite: true })).bytes;
    });
    const path = join(folder, "sent");
    await sparseFile(path, Math.min(WARM_BYTES, bytes));
    await alice.sendFile(path, { ...TO_BOB, topic: "save" });
    await sparseFile(path, bytes);
    const began = performance.now();
    const probe = new MemoryProbe();
    await alice.sendFile(path, { ...TO_BOB, topic: "save" });
    const growth = probe.stop();
    const seconds = (performance.now() - began) / 1000;
    await pair.close();
    return { growth, bytes: saved, seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sends texts, and compares the heap with that after a fifth of them. */
async function texts(count: number): Promise<Grown> {
  const pair = await openPair(undefined);
  const began = performance.now();
  const send = async (some: number): Promise<void> => {
    for (let i = 0; i < some; i++) await pair.alice.sendText("a chat message", { topic: TOPIC, destinationIdentities: ["bob"] });
  };
  await send(count / 5);
  const before = await heapUsed();
  await send(count * 4 / 5);
  const growth = (await heapUsed() ?? NaN) - (before ?? NaN);
  const seconds = (performance.now() - began) / 1000;
  await pair.close();
  return { growth, bytes: 0, seconds };
}

const [name, bytes] = process.argv.slice(2);
const measure = { unread, file, texts }[name ?? ""];
if (measure === undefined) throw new Error(`Cannot measure as there is no such measurement: name is "${name}"`);
console.log(JSON.stringify(await measure(Number(bytes))));
