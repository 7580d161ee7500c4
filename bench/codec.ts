// What it measures: sha256 of segments by the codec (pool of one and of two workers, inline) against plain sha256 of one core, which is
//   the limit: pool of two ÷ (2 × plain) is the share of two cores that is reached.
// How to run: node dist/bench/codec.js, bun bench/codec.ts, deno run -A bench/codec.ts
// What would make it lie: another load on the machine; fewer than two cores; segments so few that they stay in a core's cache.
import { createHash } from "node:crypto";
import { Bench } from "tinybench";
import type { Codec } from "../workers/codec.ts";
import { createInlineCodec } from "../workers/inline.ts";
import { type CodecPool, createCodecPool } from "../workers/pool.ts";

/** Bytes of one round: enough that a queue is deep, small enough that a round is short. */
const ROUND_BYTES = 64 * 1024 * 1024;

const SIZES = [15_000, 60_000, 240_000, 1_000_000] as const;

async function main(): Promise<void> {
  const pools = new Map<string, CodecPool>([["pool of 1", createCodecPool({ size: 1 })], [
    "pool of 2",
    createCodecPool({ size: 2 }),
  ]]);
  const codecs = new Map<string, Codec>([...pools, ["inline", createInlineCodec()]]);
  for (const size of SIZES) {
    const bench = new Bench({ time: 1000, iterations: 5, warmupTime: 200, warmupIterations: 2 });
    const bytes = new Uint8Array(size);
    bench.add("plain sha256, one core", () => {
      for (let done = 0; done < ROUND_BYTES; done += size) createHash("sha256").update(bytes).digest();
    });
    for (const [name, codec] of codecs) bench.add(name, () => round(codec, size));
    await bench.run();
    const plain = rate(bench, "plain sha256, one core");
    console.log(`${size} bytes a segment`);
    for (const { name } of bench.tasks) {
      console.log(
        `  ${name.padEnd(24)} ${rate(bench, name).toFixed(2)} GB/s, ${(rate(bench, name) / plain).toFixed(2)} of one core`,
      );
    }
  }
  for (const pool of pools.values()) await pool.close();
}

/** Many segments under way at a time, each used again as soon as it is free. */
async function round(codec: Codec, size: number): Promise<void> {
  let left = ROUND_BYTES;
  await Promise.all(Array.from({ length: 16 }, async () => {
    const segment = codec.segments.acquire(size);
    while (left > 0) {
      left -= size;
      await codec.slice({ segment, start: 0, end: size });
    }
    segment.release();
  }));
}

/** Median rate, in GB/s. */
function rate(bench: Bench, name: string): number {
  const result = bench.getTask(name)?.result;
  if (result === undefined || !("latency" in result)) return NaN;
  return ROUND_BYTES / result.latency.p50 / 1e6;
}

await main();
