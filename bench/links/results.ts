// Results of the contenders over each line, and their tables.
import type { Measure } from "../figures/types.ts";
import { asFigure } from "../figures/figures.ts";
import type { Kind } from "../livekit/processes.ts";
import { ratios, span } from "../livekit/results.ts";
import { median, spread } from "../probe.ts";
import { type Figure, type Noise, table } from "../report.ts";
import type { ContentsName } from "./contents.ts";
import type { Link } from "./links.ts";
import type { Contender, Run } from "./run.ts";

/** Some contents over some line by one contender. */
export interface LinkRow {
  readonly link: string;
  readonly title: string;
  readonly contents: ContentsName;
  readonly bytes: number;
  readonly name: string;
  readonly by: Kind;
  readonly runs: readonly Run[];
  /** Medians of the runs; `spread` is of the goodput, largest less smallest as a share of the median. */
  readonly rate: number;
  readonly spread: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly call: number;
  /** Longest hold of an event loop, in total and without the time in which its thread waited for a core. Absent for Python. */
  readonly hold?: number;
  readonly running?: number;
  /** Median ratio of the goodput to the best of rtc-node's in the same round; absent without rtc-node. */
  readonly ratio?: number;
}

export interface LinksReport {
  readonly versions: Readonly<Record<string, string>>;
  readonly loadBefore: number;
  readonly noise: Noise;
  readonly rows: readonly LinkRow[];
  readonly figures: readonly Figure[];
}

/** Longest allowed hold of the event loop, in ms. */
const HOLD_REACH = 5;

/** JSON lines on loopback, against the SDK's own deflating of a file. */
const PACKED_REACH = 1.4;

/** The same over the other lines. */
const LINE_PACKED_REACH = 1;

export function rowsOf(
  link: Link,
  contents: { name: ContentsName; bytes: number },
  runs: ReadonlyMap<Contender, Run[]>,
): LinkRow[] {
  const best = bestOfRounds([...runs].filter(([{ by }]) => by === "rtc-node").map(([, own]) => own));
  return [...runs].map(([{ name, by }, own]): LinkRow => {
    const rates = own.map(({ rate }) => rate);
    return {
      link: link.name,
      title: link.title,
      contents: contents.name,
      bytes: contents.bytes,
      name,
      by,
      runs: own,
      rate: median(rates),
      spread: spread(rates),
      p50: median(own.map(({ p50 }) => p50)),
      p95: median(own.map(({ p95 }) => p95)),
      max: median(own.map(({ max }) => max)),
      call: median(own.map(({ call }) => call)),
      ...holdsOf(own),
      ...(best.length === 0 ? {} : { ratio: median(ratios(rates, best)) }),
    };
  });
}

function holdsOf(runs: readonly Run[]): { hold?: number; running?: number } {
  const told = runs.flatMap(({ hold, running }) => hold === undefined || running === undefined ? [] : [{ hold, running }]);
  if (told.length === 0) return {};
  return { hold: median(told.map(({ hold }) => hold)), running: median(told.map(({ running }) => running)) };
}

/** Goodput of the best contender in each round. */
function bestOfRounds(theirs: readonly (readonly Run[])[]): number[] {
  return (theirs[0] ?? []).map((_, round) => Math.max(...theirs.map((runs) => runs[round]?.rate ?? NaN)));
}

export function figuresOf({ name, reach }: Link, rows: readonly LinkRow[]): Figure[] {
  const own = rows.find(({ by }) => by === "millrace");
  const theirs = rows.filter(({ by }) => by === "rtc-node");
  if (own === undefined || theirs.length === 0) return [];
  const figures: Measure[] = [];
  if (own.contents === "random" && reach !== undefined) {
    const best = bestOfRounds(theirs.map(({ runs }) => runs));
    figures.push(
      against(`goodput-${name}`, `${name}: goodput of random bytes against the best of rtc-node`, reach.goodput, own, best),
    );
    const late = own.runs.map(({ p95 }) => p95);
    const sdk = theirs.map(({ p95 }) => p95.toFixed(0)).join(", ");
    figures.push({
      id: `message-${name}`,
      what: `${name}: p95 of messages meanwhile`,
      unit: "ms",
      reach: reach.message,
      better: "less",
      runs: late,
      note: `${span(late, " ms")}; rtc-node ${sdk}`,
      holds: own.runs.every(({ lost, why }) => lost === 0 && why === undefined),
    });
  }
  figures.push({
    id: `hold-${own.contents}-${name}`,
    what: `${name}: longest hold of an event loop, less the collector, ${own.contents}`,
    unit: "ms",
    reach: HOLD_REACH,
    better: "less",
    runs: own.runs.map(({ running }) => running ?? NaN),
    note: `${own.hold?.toFixed(1)} with the collector; rtc-node ${theirs.map(({ running }) => running?.toFixed(1)).join(", ")}`,
  });
  const deflated = theirs.find(({ name }) => name.endsWith("sendFile"));
  if (own.contents === "json" && deflated !== undefined) {
    const what = `${name}: goodput of JSON lines against rtc-node sendFile`;
    const wanted = name === "loopback" ? PACKED_REACH : LINE_PACKED_REACH;
    figures.push(against(`json-${name}`, what, wanted, own, deflated.runs.map(({ rate }) => rate)));
  }
  return figures.map(asFigure);
}

function against(id: string, what: string, reach: number, own: LinkRow, theirs: readonly number[]): Measure {
  const rates = own.runs.map(({ rate }) => rate);
  const runs = ratios(rates, theirs);
  const note = `${median(rates).toFixed(2)} against ${median(theirs).toFixed(2)} MB/s, ${span(runs, " ×")}`;
  return { id, what, unit: "×", reach, better: "more", runs, note, holds: own.runs.every(({ why }) => why === undefined) };
}

export function rowsTable(rows: readonly LinkRow[]): string {
  const head = [
    "",
    "MB/s",
    "runs",
    "to rtc-node",
    "message p50",
    "p95",
    "runs",
    "max",
    "RPC p95",
    "hold",
    "less collector",
    "not whole",
    "not come",
  ];
  const lines = rows.map(({ name, rate, ratio, p50, p95, max, call, hold, running, runs }) => [
    name,
    rate.toFixed(2),
    span(runs.map((run) => run.rate)),
    ratio === undefined ? "" : `${ratio.toFixed(2)} ×`,
    p50.toFixed(0),
    p95.toFixed(0),
    span(runs.map((run) => run.p95)),
    max.toFixed(0),
    call.toFixed(0),
    hold?.toFixed(1) ?? "",
    running?.toFixed(1) ?? "",
    countLabel(runs.filter(({ why }) => why !== undefined).length, runs.length),
    countLabel(runs.reduce((sum, { lost }) => sum + lost, 0), runs.reduce((sum, { messages }) => sum + messages, 0)),
  ]);
  return table(head, lines);
}

function countLabel(count: number, of: number): string {
  return count === 0 ? "" : `${count} of ${of}`;
}

export function runLabel({ rate, share, p50, p95, max, messages, call, failed, why }: Run): string {
  const parts = [
    `${rate.toFixed(2)} MB/s`,
    `${messages} messages p50 ${p50.toFixed(0)}, p95 ${p95.toFixed(0)}, max ${max.toFixed(0)} ms`,
    `RPC p95 ${call.toFixed(0)} ms${failed === 0 ? "" : `, ${failed} failed`}`,
    ...why === undefined ? [] : [`ended with ${(100 * share).toFixed(0)} % of it as it ${why}`],
  ];
  return parts.join("; ");
}
