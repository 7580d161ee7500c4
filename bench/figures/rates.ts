// Rates of large sends on the hub: against what the machine can do, and the pool against this thread alone.
import type { FigureContext, Measure } from "./types.ts";
import { leastWork } from "../limits.ts";
import { openPair, type Pair, TO_BOB, TOPIC, WHOLE_TOPIC } from "../pair.ts";
import { cpuOf, median } from "../probe.ts";
import { bytesLabel, cores } from "../report.ts";
import { flatText, randomBytes } from "../samples.ts";

const MB = 1e6;

/** Sizes of writes, and sizes of chunks, at which the pool is compared with this thread alone. */
const WRITE_SIZES = [4_000, 64_000, 1_000_000];
const CHUNK_SIZES = [4_000, 15_000, 60_000];

export async function* rateFigures(context: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const pair = await openPair(context.pool);
  try {
    yield await againstLimit(pair, context, "limit", "read by readAll", WHOLE_TOPIC, 70);
    yield await againstLimit(pair, context, "limit-loop", "read by a loop", TOPIC, 50);
  } finally {
    await pair.close();
  }
  yield await poolForBytes(context);
  yield await poolForText(context);
}

/**
 * Highest possible rate: all cores share one sha256 and two copies, measured before each send. The note's share of CPU time is an upper bound
 * with all cores free, and hardly depends on other loads.
 */
async function againstLimit(
  { alice }: Pair,
  { rounds, divisor }: FigureContext,
  id: string,
  how: string,
  topic: string,
  reach: number,
): Promise<Measure> {
  const data = randomBytes(256 * MB / divisor);
  const options = { ...TO_BOB, topic };
  await alice.sendBytes(data, options);
  const shares: number[] = [];
  const rates: number[] = [];
  const limits: number[] = [];
  const efficiencies: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { hash, copies } = leastWork(data);
    const limit = cores * data.length / 1000 / (hash + copies);
    let rate = NaN;
    const spent = await cpuOf(async () => {
      rate = data.length / 1000 / await timed(() => alice.sendBytes(data, options));
    });
    efficiencies.push(100 * 1000 * (hash + copies) / spent);
    shares.push(100 * rate / limit);
    rates.push(rate);
    limits.push(limit);
  }
  return {
    id,
    what: `256 MB by sendBytes, ${how}`,
    unit: "% of the limit",
    reach,
    better: "more",
    runs: shares,
    note: `${median(rates).toFixed(0)} of ${median(limits).toFixed(0)} MB/s; hash and copies are ${
      median(efficiencies).toFixed(0)
    } % of its CPU time`,
  };
}

/** The lowest of the ratios at several sizes of chunks and of writes. */
async function poolForBytes({ pool, rounds, divisor }: FigureContext): Promise<Measure> {
  const data = randomBytes(64 * MB / divisor);
  const cases: { label: string; ratios: number[] }[] = [];
  for (const chunkSize of CHUNK_SIZES) {
    const ratios = await poolAgainstInline(pool, chunkSize, rounds, ({ alice }) => alice.sendBytes(data, TO_BOB));
    cases.push({ label: `chunks of ${bytesLabel(chunkSize)}`, ratios });
  }
  for (const size of WRITE_SIZES) {
    const ratios = await poolAgainstInline(pool, undefined, rounds, async ({ alice }) => {
      const writer = await alice.streamBytes(TO_BOB);
      for (let at = 0; at < data.length; at += size) await writer.write(data.subarray(at, at + size));
      await writer.close();
    });
    cases.push({ label: `writes of ${bytesLabel(size)}`, ratios });
  }
  const lowest = cases.reduce((low, each) => median(each.ratios) < median(low.ratios) ? each : low);
  return {
    id: "pool-bytes",
    what: "64 MB by the pool against this thread alone, time, the lowest of several sizes",
    unit: "×",
    reach: 1.3,
    better: "more",
    runs: lowest.ratios,
    note: cases.map(({ label, ratios }) => `${label} ${median(ratios).toFixed(2)}`).join(", "),
  };
}

async function poolForText({ pool, rounds, divisor }: FigureContext): Promise<Measure> {
  const text = flatText(64 * MB / divisor);
  const began = performance.now();
  const runs = await poolAgainstInline(pool, undefined, rounds, ({ alice }) => alice.sendText(text, TO_BOB));
  return {
    id: "pool-text",
    what: "sendText of 64 MB by the pool against this thread alone, time",
    unit: "×",
    reach: 1.2,
    better: "more",
    runs,
    note: `${rounds} rounds in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  };
}

/** Ratios of the times of a send, inline to pool, in alternating rounds. */
async function poolAgainstInline(
  pool: FigureContext["pool"],
  chunkSize: number | undefined,
  rounds: number,
  send: (pair: Pair) => Promise<unknown>,
): Promise<number[]> {
  const pairs = [await openPair(pool, chunkSize), await openPair(false, chunkSize)] as const;
  const ratios: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const [pooled, inline] = [await timed(() => send(pairs[0])), await timed(() => send(pairs[1]))];
      if (round > 0) ratios.push(inline / pooled); // the first warms up
    }
  } finally {
    for (const pair of pairs) await pair.close();
  }
  return ratios;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
