// Runs contenders in turn, several times, so that another load on the machine affects all of them alike.
import { Bench, type Task } from "tinybench";
import { hashPlainly, noteRate } from "./limits.ts";
import { HoldProbe, type Holds, median } from "./probe.ts";
import type { Row } from "./report.ts";

/** Thoroughness of a run. */
export interface Effort {
  /** Number of turns of each contender. */
  readonly passes: number;
  /** Shortest turn, in ms. */
  readonly turn: number;
  /** Divisor of the sizes of sends. */
  readonly divisor: number;
}

export const FULL: Effort = { passes: 3, turn: 120, divisor: 1 };
export const BRIEF: Effort = { passes: 1, turn: 1, divisor: 64 };

export interface Contender {
  readonly name: string;
  readonly size: number;
  /** Bytes that one run moves. */
  readonly bytes: number;
  readonly run: () => Promise<void> | void;
  /** True if this thread does the work in one piece: the event loop's holds then mean nothing. */
  readonly inOnePiece?: boolean;
}

const PLAIN = "plain sha256, one core";
const PLAIN_BYTES = 32e6;

/** Rates of all contenders, and of plain sha256 on one core. */
export async function alternate(section: string, contenders: readonly Contender[], effort: Effort): Promise<Row[]> {
  const plainBytes = PLAIN_BYTES / effort.divisor;
  const plain = { name: PLAIN, size: 0, bytes: plainBytes, run: () => hashPlainly(plainBytes), inOnePiece: true };
  const all: readonly Contender[] = [plain, ...contenders];
  const rates = new Map<Contender, number[]>(all.map((contender) => [contender, []]));
  const holds = new Map<Contender, Holds[]>(all.map((contender) => [contender, []]));
  for (let pass = 0; pass < effort.passes; pass++) {
    for (const contender of all) {
      const turn = await takeTurn(contender, effort, pass === 0);
      rates.get(contender)?.push(turn.rate);
      holds.get(contender)?.push(turn.holds);
    }
  }
  for (const rate of rates.get(plain) ?? []) noteRate(rate);
  const limit = median(rates.get(plain) ?? []);
  return contenders.map((contender) => {
    const rate = median(rates.get(contender) ?? []);
    return {
      section,
      name: contender.name,
      size: contender.size,
      rate,
      share: rate / limit,
      ...(contender.inOnePiece === true ? {} : { holds: medianHolds(holds.get(contender) ?? []) }),
    };
  });
}

async function takeTurn(contender: Contender, { turn }: Effort, first: boolean): Promise<{ rate: number; holds: Holds }> {
  let probe: HoldProbe | undefined;
  let holds: Holds = { longest: 0, p99: 0, samples: 0 };
  const bench = new Bench({ time: turn, iterations: 2, warmup: first, warmupTime: turn / 4, warmupIterations: 1, throws: true });
  bench.add(contender.name, contender.run, {
    async: contender.inOnePiece !== true,
    beforeAll(mode) {
      if (mode === "run") probe = new HoldProbe();
    },
    afterAll(mode) {
      if (mode === "run" && probe !== undefined) holds = probe.stop();
    },
  });
  try {
    await bench.run();
  } finally {
    probe?.stop();
  }
  return { rate: contender.bytes / 1000 / medianLatency(bench.tasks[0]), holds };
}

function medianLatency(task: Task | undefined): number {
  const result = task?.result;
  if (result === undefined || !("latency" in result)) {
    throw new Error(`Cannot measure as the task did not complete: task is "${task?.name}"`);
  }
  return result.latency.p50;
}

function medianHolds(holds: readonly Holds[]): Holds {
  const own = holds.flatMap((each) => each.own ?? []);
  return {
    longest: median(holds.map(({ longest }) => longest)),
    p99: median(holds.map(({ p99 }) => p99)),
    samples: holds.reduce((sum, { samples }) => sum + samples, 0),
    ...(own.length === 0 ? {} : { own: median(own) }),
  };
}
