// Small streams: CPU time of a text and of a stream of 64 kB, beside that of work which every machine has in like proportion.
import { createHash } from "node:crypto";
import { BARE, live } from "./actors.ts";
import type { FigureContext, Measure } from "./types.ts";
import { openPair, type Pair, TO_BOB, TOPIC } from "../pair.ts";
import { cpuOf, median } from "../probe.ts";
import { randomBytes } from "../samples.ts";

const TEXTS = 4_000;
const MANY = 1_000;
const SIZE = 64_000;

export async function* smallFigures(context: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const pair = await openPair(context.pool);
  try {
    yield* smallTexts(pair, context);
    yield await manyStreams(pair, context);
  } finally {
    await pair.close();
  }
}

/** Before the actors were cheap, a text took 7.9 lives of a bare xstate machine; the goal is a third. */
async function* smallTexts({ alice, ended }: Pair, { rounds, divisor }: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const texts = Math.ceil(TEXTS / divisor);
  const text = "a chat message of fifty bytes, no more and no less.".slice(0, 50);
  const options = { topic: TOPIC, destinationIdentities: ["bob"] };
  const ratios: number[] = [];
  const rates: number[] = [];
  const each: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const bare = await cpuOf(() => live(BARE, texts)) / texts;
    const already = ended();
    const began = performance.now();
    const spent = await cpuOf(async () => {
      for (let i = 0; i < texts; i++) await alice.sendText(text, options);
      while (ended() < already + texts) await new Promise((resolve) => void setImmediate(resolve));
    }) / texts;
    if (round === 0) continue; // warms up
    rates.push(texts / (performance.now() - began) * 1000);
    ratios.push(spent / bare);
    each.push(spent);
  }
  yield {
    id: "texts-cpu",
    what: "sendText of 50 bytes, CPU time against a bare xstate machine's life",
    unit: "×",
    reach: 2.6,
    better: "less",
    runs: ratios,
    note: `${median(each).toFixed(0)} µs each`,
  };
  yield {
    id: "texts",
    what: "sendText of 50 bytes, one after the other, delivered",
    unit: "a second",
    reach: 4_000,
    better: "more",
    runs: rates,
    note: `${texts} texts a run`,
  };
}

/** Before the actors were cheap, a stream cost 26 times the hash of its bytes, beyond their share of one stream; the goal is half. */
async function manyStreams({ alice }: Pair, { rounds, divisor }: FigureContext): Promise<Measure> {
  const part = randomBytes(Math.ceil(SIZE / divisor));
  const data = randomBytes(MANY * part.length);
  const hashAll = (): void => {
    for (let i = 0; i < MANY; i++) createHash("sha256").update(part).digest();
  };
  const one = (): Promise<unknown> => alice.sendBytes(data, TO_BOB);
  const many = (): Promise<unknown> => Promise.all(Array.from({ length: MANY }, () => alice.sendBytes(part, TO_BOB)));
  const runs: number[] = [];
  const beyond: number[] = [];
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const hash = await cpuOf(hashAll);
    const began = performance.now();
    const alone = await cpuOf(one);
    const between = performance.now();
    const apart = await cpuOf(many);
    if (round === 0) continue; // warms up
    times.push((performance.now() - between) / (between - began));
    beyond.push((apart - alone) / MANY);
    runs.push((apart - alone) / hash);
  }
  return {
    id: "streams-64",
    what: "1,000 streams of 64 kB at once: CPU time of each beyond its bytes, against their sha256",
    unit: "×",
    reach: 13,
    better: "less",
    runs,
    note: `${median(beyond).toFixed(0)} µs each; ${median(times).toFixed(1)} times as long as one stream of all bytes`,
  };
}
