// The limits of the machine: how fast one core hashes and copies, and how many cores are available.
// Pitfalls: few bytes would stay in a core's cache, hence 32 MB. Another load shows in `coresFree`.
import { createHash } from "node:crypto";
import { SEGMENT_BYTES } from "../protocol/constants.ts";
import { RawWorkers } from "./peers/peers.ts";
import { idleHolds, median, spread } from "./probe.ts";
import { cores, type Noise } from "./report.ts";

const BYTES = 32e6;

const source = new Uint8Array(BYTES).fill(1);
const target = new Uint8Array(BYTES).fill(2);

/** Each rate of plain sha256 measured in this run, in MB/s: their spread is the machine's noise. */
const rates: number[] = [];

/** Hashes `bytes` bytes on this thread, a segment at a time. */
export function hashPlainly(bytes: number = BYTES, segment: number = SEGMENT_BYTES): void {
  for (let done = 0; done < bytes; done += segment) {
    const at = done % (BYTES - segment);
    createHash("sha256").update(source.subarray(at, at + segment)).digest();
  }
}

/** Copies 32 MB on this thread, a segment at a time. */
export function copyPlainly(): void {
  for (let at = 0; at < BYTES; at += SEGMENT_BYTES) target.set(source.subarray(at, at + SEGMENT_BYTES), at);
}

/**
 * Milliseconds of one core for what a send on a hub cannot avoid: one sha256, a copy into recycled memory, and a copy out into an array that
 * is the reader's own.
 */
export function leastWork(data: Uint8Array): { hash: number; copies: number } {
  const hash = data.length / 1000 / sha256Rate(data.length);
  const recycled = new Uint8Array(new SharedArrayBuffer(SEGMENT_BYTES));
  const copies = timed(() => {
    const own = new Uint8Array(data.length);
    for (let at = 0; at < data.length; at += SEGMENT_BYTES) {
      const part = data.subarray(at, at + SEGMENT_BYTES);
      recycled.set(part);
      own.set(recycled.subarray(0, part.length), at);
    }
  });
  return { hash, copies };
}

/** Current rate of plain sha256 of `bytes` bytes, in MB a second. */
export function sha256Rate(bytes: number = BYTES): number {
  const rate = bytes / 1000 / timed(() => hashPlainly(bytes));
  noteRate(rate);
  return rate;
}

export function noteRate(rate: number): void {
  rates.push(rate);
}

/** Noise of the machine, over the run so far and, idle, at this moment. */
export async function measureNoise(idleMs: number): Promise<Noise> {
  const idle = await idleHolds(idleMs);
  const copies = Array.from({ length: 5 }, () => BYTES / 1000 / timed(copyPlainly));
  const coresFree = await measureCores(idleMs);
  return { sha256: median(rates), sha256Spread: spread(rates), memcpy: median(copies), coresFree, idle };
}

/** Rate of threads that hash on all cores at once, in cores. */
async function measureCores(ms: number): Promise<number> {
  const workers = new RawWorkers(cores);
  try {
    await workers.spin(20); // they start
    const alone = sha256Rate();
    return await workers.spin(ms) / 1000 / ms / alone;
  } finally {
    await workers.end();
  }
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}
