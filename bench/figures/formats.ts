// Gain and cost of the framed format, on the hub: JSON lines compressed by two workers against one, random bytes framed against plain.
import { createCodecPool } from "../../mod.ts";
import type { FigureContext, Measure } from "./types.ts";
import { openPair, type Pair, TO_BOB, TOPIC } from "../pair.ts";
import { median } from "../probe.ts";
import { jsonLines, randomBytes } from "../samples.ts";

const MB = 1e6;
const SEED = 5;
const LISTENER = "carol";

export async function* formatFigures(context: FigureContext): AsyncGenerator<Measure, void, undefined> {
  yield await compressed(context);
  yield await framed(context);
}

async function compressed({ rounds, divisor }: FigureContext): Promise<Measure> {
  const data = jsonLines(256 * MB / divisor, SEED);
  const pools = [createCodecPool({ size: 1 }), createCodecPool({ size: 2 })] as const;
  const pairs = [await openPair(pools[0]), await openPair(pools[1])] as const;
  try {
    const [one, two] = await alternately(
      rounds,
      data.length,
      pairs.map(({ alice }) => () => alice.sendBytes(data, { ...TO_BOB, compress: true })),
    );
    return {
      id: "compressed-workers",
      what: "256 MB of JSON lines by sendBytes, compressed: 2 workers against 1",
      unit: "×",
      reach: 1.5,
      better: "more",
      runs: two.map((rate, round) => rate / (one[round] ?? NaN)),
      note: `${median(two).toFixed(0)} against ${median(one).toFixed(0)} MB/s`,
    };
  } finally {
    for (const pair of pairs) await pair.close();
    for (const pool of pools) await pool.close();
  }
}

/** A participant who never says hello makes every broadcast plain, for Bob as well. */
async function framed({ pool, rounds, divisor }: FigureContext): Promise<Measure> {
  const data = randomBytes(64 * MB / divisor);
  const pair = await openPair(pool);
  const listener = listenPlainly(pair);
  try {
    const [ownFormat, plain] = await alternately(rounds, data.length, [
      () => pair.alice.sendBytes(data, TO_BOB),
      () => pair.alice.sendBytes(data, { topic: TOPIC, confirm: true }),
    ]);
    return {
      id: "framed",
      what: "64 MB of random bytes by sendBytes: framed against plain",
      unit: "×",
      reach: 1,
      better: "more",
      runs: ownFormat.map((rate, round) => rate / (plain[round] ?? NaN)),
      note: `${median(ownFormat).toFixed(0)} against ${median(plain).toFixed(0)} MB/s`,
      holds: listener.chunks() > 0,
    };
  } finally {
    await pair.close();
    await listener.close();
  }
}

/** Counts the chunks that arrive: a framed stream for Bob shows none here. */
function listenPlainly({ hub }: Pair): { chunks: () => number; close: () => Promise<void> } {
  const transport = hub.join(LISTENER);
  let chunks = 0;
  transport.open({
    packet: ({ type }) => void (chunks += type === "chunk" ? 1 : 0),
    joined: () => {},
    left: () => {},
    closed: () => {},
  });
  return { chunks: () => chunks, close: () => transport.close() };
}

/** MB a second of two contenders who take turns, after one warm-up turn each. */
async function alternately(
  rounds: number,
  bytes: number,
  contenders: readonly (() => Promise<unknown>)[],
): Promise<[number[], number[]]> {
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    for (const [index, send] of contenders.entries()) {
      const began = performance.now();
      await send();
      if (round > 0) rates[index]?.push(bytes / 1000 / (performance.now() - began));
    }
  }
  return rates;
}
