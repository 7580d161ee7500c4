// Rates: a large send against the machine's limit, small texts, and many streams against one.
import process from "node:process";
import type { FigureContext, Measure } from "./types.ts";
import { sha256Rate } from "../limits.ts";
import { openPair, type Pair, TO_BOB, TOPIC, WIDE_TOPIC } from "../pair.ts";
import { median } from "../probe.ts";
import { cores } from "../report.ts";
import { randomBytes } from "../samples.ts";

const MB = 1e6;
const MANY = 1_000;

/** Bytes of each of the many streams. */
const MANY_SIZES = [64_000, 256_000, 1_000_000];

export async function* rateFigures(context: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const pair = await openPair(context.pool);
  try {
    yield await againstLimit(pair, context, TO_BOB.topic);
    yield await againstLimit(pair, context, WIDE_TOPIC);
    yield await smallTexts(pair, context);
    yield* manyStreams(pair, context);
  } finally {
    await pair.close();
  }
}

/**
 * Highest possible rate: all cores hash, and each byte is hashed at both ends, so cores × plain sha256 of one ÷ 2. The plain rate is
 * measured before each send. The note's share of CPU time is an upper bound with all cores free, and hardly depends on other loads.
 */
async function againstLimit({ alice }: Pair, { rounds, divisor }: FigureContext, topic: string): Promise<Measure> {
  const data = randomBytes(256 * MB / divisor);
  const options = { ...TO_BOB, topic };
  await alice.sendBytes(data, options);
  const shares: number[] = [];
  const rates: number[] = [];
  const limits: number[] = [];
  const efficiencies: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const idle = process.cpuUsage();
    const limit = cores * sha256Rate(data.length) / 2;
    const hashing = cpuSince(idle);
    const busy = process.cpuUsage();
    const rate = data.length / 1000 / await timed(() => alice.sendBytes(data, options));
    efficiencies.push(100 * 2 * hashing / cpuSince(busy));
    shares.push(100 * rate / limit);
    rates.push(rate);
    limits.push(limit);
  }
  return {
    id: topic === WIDE_TOPIC ? "limit-wide" : "limit",
    what: `256 MB by sendBytes, digests at both ends${topic === WIDE_TOPIC ? ", a window of 4 MiB" : ""}`,
    unit: "% of the limit",
    reach: 60,
    better: "more",
    runs: shares,
    note: `${median(rates).toFixed(0)} of ${median(limits).toFixed(0)} MB/s; hashing is ${
      median(efficiencies).toFixed(0)
    } % of its CPU time`,
  };
}

async function smallTexts({ alice, ended }: Pair, { rounds, divisor }: FigureContext): Promise<Measure> {
  const texts = Math.ceil(4_000 / divisor);
  const text = "a chat message of fifty bytes, no more and no less.".slice(0, 50);
  const options = { topic: TOPIC, destinationIdentities: ["bob"] };
  const runs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const already = ended();
    const began = performance.now();
    for (let i = 0; i < texts; i++) await alice.sendText(text, options);
    while (ended() < already + texts) await new Promise((resolve) => void setImmediate(resolve));
    if (round > 0) runs.push(texts / (performance.now() - began) * 1000); // the first warms up
  }
  return {
    id: "texts",
    what: "sendText of 50 bytes, one after the other, delivered",
    unit: "a second",
    reach: 4_000,
    better: "more",
    runs,
    note: `${texts} texts a run`,
  };
}

/** A stream costs some hundred microseconds besides its bytes: its share depends on the number of bytes. */
async function* manyStreams({ alice }: Pair, { rounds, divisor }: FigureContext): AsyncGenerator<Measure, void, undefined> {
  for (const size of MANY_SIZES) {
    const part = randomBytes(Math.ceil(size / divisor));
    const data = randomBytes(MANY * part.length);
    const one = (): Promise<unknown> => alice.sendBytes(data, TO_BOB);
    const many = (): Promise<unknown> => Promise.all(Array.from({ length: MANY }, () => alice.sendBytes(part, TO_BOB)));
    await one();
    await many();
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const alone = await timed(one);
      ratios.push(await timed(many) / alone);
    }
    yield {
      id: `streams-${size / 1000}`,
      what: `1,000 streams of ${size / 1000} kB at once against 1 of all bytes`,
      unit: "×",
      reach: 1.5,
      better: "less",
      runs: ratios,
      note: `${MANY} × ${part.length} bytes`,
    };
  }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
