// The longest hold of the event loop in each of four large sends, between two participants of a hub.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FigureContext, Measure } from "./types.ts";
import { openPair, type Pair, TO_BOB } from "../pair.ts";
import { HoldProbe, median } from "../probe.ts";
import { flatText, randomBytes, randomFile } from "../samples.ts";

const MB = 1e6;

/** Promised longest hold, in ms; less the pauses of the garbage collector where the runtime tells them. */
const REACH_MS = 5;

/** Longest hold with the pauses of the collector, in ms. */
const REACH_WITH_PAUSES_MS = 10;

const SENDS_AT_ONCE = 1_000;

interface Send {
  readonly id: string;
  readonly what: string;
  readonly bytes: number;
  /** Longest hold to reach, pauses included, in ms, if the promise does not apply. */
  readonly reach?: number;
  readonly run: () => Promise<void>;
}

export async function* holdFigures(context: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  const pair = await openPair(context.pool);
  try {
    yield await measureHolds(writeOnce(pair, 128 * MB / context.divisor), context.rounds);
    yield await measureHolds(sendText(pair, 64 * MB / context.divisor), context.rounds);
    yield await measureHolds(await sendFile(pair, folder, 256 * MB / context.divisor), context.rounds);
    yield await measureHolds(sendEight(pair, 32 * MB / context.divisor), context.rounds);
    for (const begun of [begunAtOnce(pair, 1_000, 15), begunAtOnce(pair, 64_000, 30)]) {
      yield await measureHolds({ ...begun, bytes: begun.bytes / context.divisor }, context.rounds);
    }
  } finally {
    await pair.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureHolds({ id, what, bytes, reach, run }: Send, rounds: number): Promise<Measure> {
  await run(); // warms up
  const longest: number[] = [];
  const own: number[] = [];
  const p99: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const probe = new HoldProbe();
    const began = performance.now();
    await run();
    rates.push(bytes / 1000 / (performance.now() - began));
    const holds = probe.stop();
    longest.push(holds.longest);
    own.push(holds.own ?? holds.longest);
    p99.push(holds.p99);
  }
  const note = `with the collector ${median(longest).toFixed(1)} ms, p99 ${median(p99).toFixed(1)}, at ${
    median(rates).toFixed(0)
  } MB/s`;
  const measure = { id, what: `longest hold: ${what}`, unit: "ms", better: "less", note } as const;
  if (reach !== undefined) return { ...measure, reach, runs: longest };
  return { ...measure, reach: REACH_MS, runs: own, holds: median(longest) <= REACH_WITH_PAUSES_MS };
}

function writeOnce({ alice }: Pair, bytes: number): Send {
  const data = randomBytes(bytes);
  return {
    id: "hold-write",
    what: "one write of 128 MB",
    bytes,
    async run() {
      const writer = await alice.streamBytes(TO_BOB);
      await writer.write(data);
      await writer.close();
    },
  };
}

function sendText({ alice }: Pair, bytes: number): Send {
  const text = flatText(bytes);
  return { id: "hold-text", what: "sendText of 64 MB", bytes, run: async () => void await alice.sendText(text, TO_BOB) };
}

async function sendFile({ alice, bob }: Pair, folder: string, bytes: number): Promise<Send> {
  const path = join(folder, "sent");
  await randomFile(path, bytes);
  bob.registerByteStreamHandler("save", async (reader) => void await reader.saveTo(join(folder, "saved"), { overwrite: true }));
  return {
    id: "hold-file",
    what: "sendFile of 256 MB to saveTo",
    bytes,
    run: async () => void await alice.sendFile(path, { ...TO_BOB, topic: "save" }),
  };
}

function sendEight({ alice }: Pair, bytes: number): Send {
  const data = randomBytes(bytes);
  return {
    id: "hold-eight",
    what: "8 sendBytes of 32 MB at once",
    bytes: 8 * bytes,
    run: async () => void await Promise.all(Array.from({ length: 8 }, () => alice.sendBytes(data, TO_BOB))),
  };
}

function begunAtOnce({ alice }: Pair, size: number, reach: number): Send {
  const data = randomBytes(size);
  return {
    id: `hold-begun-${size / 1000}`,
    what: `${SENDS_AT_ONCE} sendBytes of ${size / 1000} kB begun at once`,
    bytes: SENDS_AT_ONCE * size,
    reach,
    run: async () => void await Promise.all(Array.from({ length: SENDS_AT_ONCE }, () => alice.sendBytes(data, TO_BOB))),
  };
}
