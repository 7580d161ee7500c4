// What it measures: sha256 of segments by the codec (pools of one and of two workers, inline), beside plain sha256 on this thread. The
//   limit of two workers is 2.00 of one core, less what this thread needs to feed them where it has no core of its own.
// How to run: node dist/bench/codec.js, bun bench/codec.ts, deno run -A bench/codec.ts
// What would make it lie: another load on the machine; segments so few that they stay in a core's cache.
import { createHash } from "node:crypto";
import { Bench } from "tinybench";
import type { Codec } from "../workers/codec.ts";
import { createInlineCodec } from "../workers/inline.ts";
import { createCodecPool } from "../workers/pool.ts";

/** Bytes of one round: enough that a queue is deep, small enough that a round is short. */
const ROUND_BYTES = 96 * 1024 * 1024;

/** Segments under way at a time. */
const DEEP = 32;

const SIZES = [15_000, 60_000, 240_000, 1_000_000] as const;

const PLAIN = "plain sha256, one core";

async function main(): Promise<void> {
  const pools = [createCodecPool({ size: 1 }), createCodecPool({ size: 2 })];
  for (const size of SIZES) {
    const bench = new Bench({ time: 1000, iterations: 5, warmupTime: 200, warmupIterations: 2 });
    const segments = Array.from({ length: DEEP }, () => new Uint8Array(new SharedArrayBuffer(size)));
    bench.add(PLAIN, () => {
      for (let done = 0; done < ROUND_BYTES;) {
        for (const bytes of segments) createHash("sha256").update(bytes).digest();
        done += DEEP * size;
      }
    });
    bench.add("inline", () => round(createInlineCodec(), size));
    for (const pool of pools) bench.add(`pool of ${pool.size}`, () => round(pool, size));
    await bench.run();
    console.log(`${size} bytes a segment`);
    for (const { name } of bench.tasks) {
      const share = rate(bench, name) / rate(bench, PLAIN);
      console.log(`  ${name.padEnd(24)} ${rate(bench, name).toFixed(2)} GB/s, ${share.toFixed(2)} of one core`);
    }
  }
  for (const pool of pools) await pool.close();
}

/** Many segments under way at a time, each used again as soon as its job is done. */
async function round(codec: Codec, size: number): Promise<void> {
  let left = ROUND_BYTES;
  await Promise.all(Array.from({ length: DEEP }, async () => {
    const segment = codec.segments.acquire(size);
    while (left > 0) {
      left -= size;
      await codec.slice({ segment, start: 0, end: size });
    }
    segment.release();
  }));
}

/** The best round's rate, in GB/s: what other work on the machine takes is no matter of the codec. */
function rate(bench: Bench, name: string): number {
  const result = bench.getTask(name)?.result;
  if (result === undefined || !("latency" in result)) return NaN;
  return ROUND_BYTES / result.latency.min / 1e6;
}

await main();
