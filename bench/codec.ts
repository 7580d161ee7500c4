// Measures sha256 of shared segments, the codec's job, by the pool and inline.
// Compares raw messages to worker threads, Piscina and plain sha256 on this thread.
// The limit of n cores is n times the plain rate, less the time in which this thread feeds the workers.
// Run: with bench/main.ts.
// Pitfalls: another load on the machine; so few segments that they stay in a core's cache.
import type { Codec } from "../workers/codec.ts";
import { createInlineCodec } from "../workers/node/job_platform.ts";
import { createCodecPool } from "../workers/pool/node_pool.ts";
import { alternate, type Contender, type Effort } from "./alternate.ts";
import { RawWorkers, startPiscina } from "./peers/peers.ts";
import { cores, type Row } from "./report.ts";

const ROUND_BYTES = 48e6;

/** Number of segments in work at a time. */
const DEEP = 32;

const SIZES = [15_000, 60_000, 240_000, 1_000_000] as const;

export async function benchCodec(effort: Effort): Promise<Row[]> {
  const pool = createCodecPool();
  const raw = new RawWorkers(cores);
  const piscina = startPiscina(cores);
  const bytes = ROUND_BYTES / effort.divisor;
  const rows: Row[] = [];
  try {
    for (const size of SIZES) {
      const segments = Array.from({ length: DEEP }, () => new SharedArrayBuffer(size));
      const contenders: Contender[] = [
        { name: "pool", size, bytes, run: () => throughCodec(pool, size, bytes) },
        { name: "inline", size, bytes, run: () => throughCodec(createInlineCodec(), size, bytes) },
        { name: "raw messages", size, bytes, run: () => through(segments, size, bytes, (segment) => raw.hash(segment, size)) },
        {
          name: "piscina",
          size,
          bytes,
          run: () => through(segments, size, bytes, (buffer) => piscina.run({ buffer, length: size })),
        },
      ];
      rows.push(...await alternate("codec", contenders, effort));
    }
  } finally {
    await pool.close();
    await raw.end();
    await piscina.destroy();
  }
  return rows;
}

async function throughCodec(codec: Codec, size: number, bytes: number): Promise<void> {
  const segments = Array.from({ length: DEEP }, () => codec.segments.acquire(size));
  await through(segments, size, bytes, (segment) => codec.slice({ segment, start: 0, end: size }));
  for (const segment of segments) segment.release();
}

/** Uses each segment again as soon as its job is done, until `bytes` bytes are processed. */
async function through<T>(
  segments: readonly T[],
  size: number,
  bytes: number,
  job: (segment: T) => Promise<unknown>,
): Promise<void> {
  let left = bytes;
  await Promise.all(segments.map(async (segment) => {
    while (left > 0) {
      left -= size;
      await job(segment);
    }
  }));
}
