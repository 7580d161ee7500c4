// The limits of the machine: how fast one core hashes and copies, and how many cores are there to be had.
// What would make it lie: bytes so few that they stay in a core's cache, hence 32 MB; another load, which is why `coresFree` is printed.
import { createHash } from "node:crypto";
import { SEGMENT_BYTES } from "../protocol/constants.ts";
import { RawWorkers } from "./peers.ts";
import { idleHolds, median, spread } from "./probe.ts";
import { cores, type Noise } from "./report.ts";

const BYTES = 32e6;

const source = new Uint8Array(BYTES).fill(1);
const target = new Uint8Array(BYTES).fill(2);

/** Each rate of plain sha256 that was measured in this run, in MB/s: their spread is the machine's noise. */
const rates: number[] = [];

/** Hashes so many bytes on this thread, a segment at a time. */
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

/** MB a second of plain sha256 of so many bytes, right now. */
export function sha256Rate(bytes: number = BYTES): number {
  const rate = bytes / 1000 / timed(() => hashPlainly(bytes));
  noteRate(rate);
  return rate;
}

export function noteRate(rate: number): void {
  rates.push(rate);
}

/** What the machine did on its own, over the run so far and, idle, right now. */
export async function measureNoise(idleMs: number): Promise<Noise> {
  const idle = await idleHolds(idleMs);
  const copies = Array.from({ length: 5 }, () => BYTES / 1000 / timed(copyPlainly));
  const coresFree = await measureCores(idleMs);
  return { sha256: median(rates), sha256Spread: spread(rates), memcpy: median(copies), coresFree, idle };
}

/** What threads that hash on all cores at once reach, in terms of one core. */
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
