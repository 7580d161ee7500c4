// Transfers between a page and a Node process, with messages beside them.
import { makeContents } from "../links/contents.ts";
import { type Bounds, type Contender, type Run, runOnce } from "../links/run.ts";
import { Processes } from "../livekit/processes.ts";
import { bestOf, ratios } from "../livekit/results.ts";
import { type Line, startRelay } from "../support/programs.ts";
import { startServer } from "../support/server.ts";
import type { Stage } from "./stage.ts";

const BOUNDS: Bounds = { transferMs: 90_000, afterMs: 10_000 };

/** A phone's line: 20 ms one way, 1 MB/s with half a second of queue. */
const LINE: Line = { delay: 20, rate: 1, queue: 500, loss: 0 };

/** Attempts at a run: two participants may not meet, or an SDK may fail. */
const ATTEMPTS = 3;

/** Contenders of both directions: Millrace first, then the plain calls of LiveKit's SDKs. */
const DIRECTIONS: readonly { readonly name: string; readonly contenders: readonly Contender[] }[] = [
  {
    name: "page to Node",
    contenders: [
      { name: "Millrace sendBytes", by: "page", to: "millrace", how: "sendBytes" },
      { name: "livekit-client sendFile", by: "livekit-client", to: "rtc-node", how: "sendFile" },
      { name: "livekit-client streamBytes", by: "livekit-client", to: "rtc-node", how: "streamBytes" },
      { name: "livekit-client sendBytes", by: "livekit-client", to: "rtc-node", how: "sendBytes" },
    ],
  },
  {
    name: "Node to page",
    contenders: [
      { name: "Millrace sendBytes", by: "millrace", to: "page", how: "sendBytes" },
      { name: "rtc-node sendFile", by: "rtc-node", to: "livekit-client", how: "sendFile" },
      { name: "rtc-node streamBytes", by: "rtc-node", to: "livekit-client", how: "streamBytes" },
    ],
  },
];

interface Bars {
  readonly goodput: number;
  /** Against livekit-client's `sendBytes`, which compresses. */
  readonly deflating?: number;
  readonly messages: number;
  readonly messagesMs?: number;
}

export function benchGoodput(stage: Stage): Promise<void> {
  return bench(stage, "loopback", undefined, { goodput: 0.9, deflating: 1.5, messages: 0.12, messagesMs: 80 });
}

export function benchLine(stage: Stage): Promise<void> {
  return bench(stage, "20 ms, 1 MB/s", LINE, { goodput: 1.3, messages: 0.05 });
}

async function bench(stage: Stage, where: string, line: Line | undefined, reach: Bars): Promise<void> {
  const { folder, rounds, divisor, tell } = stage;
  const contents = await makeContents("random", folder, divisor);
  await using server = await startServer({ relayed: line !== undefined });
  const { udpPort } = server;
  const relay = line && await startRelay({ from: `127.0.0.2:${udpPort}`, to: `127.0.0.1:${udpPort}`, ...line });
  try {
    await using processes = new Processes(server);
    for (const { name, contenders } of DIRECTIONS) {
      const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
      for (let round = 0; round < rounds; round++) {
        for (const [contender, own] of runs) {
          const run = await attempted(() => runOnce(processes, contender, contents, BOUNDS));
          own.push(run);
          tell(`${where}, ${name}, ${contender.name}: ${run.rate.toFixed(2)} MB/s, messages p95 ${run.p95.toFixed(0)} ms`);
        }
      }
      report(stage, `${where}, ${name}`, runs, reach);
    }
  } finally {
    await relay?.close();
  }
}

async function attempted(run: () => Promise<Run>): Promise<Run> {
  for (let attempt = 1;; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      console.error(error);
    }
  }
}

function report({ results }: Stage, section: string, runs: ReadonlyMap<Contender, readonly Run[]>, reach: Bars): void {
  for (const [{ name, by }, own] of runs) {
    results.row(section, name, by, "MB/s", own.map(({ rate }) => rate));
    results.row(`${section}: messages meanwhile, p95`, name, by, "ms", own.map(({ p95 }) => p95));
  }
  const [first, ...others] = [...runs];
  const own = first?.[1] ?? [];
  const plain = others.filter(([{ how }]) => how !== "sendBytes");
  const rate = own.map((run) => run.rate);
  const best = bestOf(plain.map(([, each]) => each.map((run) => run.rate)));
  const figure = (
    id: string,
    what: string,
    unit: string,
    bar: number,
    better: "less" | "more",
    values: readonly number[],
  ): void =>
    results.figure({ id: `${section} ${id}`, what: `${section}: ${what}`, unit, reach: bar, better, runs: values, note: "" });
  figure("goodput", "goodput, against the best of sendFile and streamBytes", "×", reach.goodput, "more", ratios(rate, best));
  const deflating = others.find(([{ how }]) => how === "sendBytes");
  if (deflating !== undefined && reach.deflating !== undefined) {
    const theirs = deflating[1].map((run) => run.rate);
    figure("deflating", "goodput, against sendBytes, which deflates", "×", reach.deflating, "more", ratios(rate, theirs));
  }
  const least = leastOf(plain.map(([, each]) => each.map(({ p95 }) => p95)));
  const p95 = own.map((run) => run.p95);
  figure("messages", "messages meanwhile, p95, against the least of the same", "×", reach.messages, "less", ratios(p95, least));
  if (reach.messagesMs !== undefined) figure("p95", "messages meanwhile, p95", "ms", reach.messagesMs, "less", p95);
}

/** The least value of each round. */
function leastOf(contenders: readonly (readonly number[])[]): number[] {
  return (contenders[0] ?? []).map((_, round) => Math.min(...contenders.map((each) => each[round] ?? Infinity)));
}
