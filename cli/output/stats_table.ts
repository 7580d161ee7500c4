// Tables of a runtime's stats. Names in them are other people's: they are escaped.
import type { EndedStreamStats, PeerStats, RuntimeStats, StreamStats } from "millrace";
import { bytesText, printableLine } from "./printable.ts";
import { durationText } from "./progress.ts";

/** Size of the place for the tables, in characters. */
export interface Place {
  readonly columns: number;
  readonly rows: number;
}

/** Column of a table: its head, and the text of a row. */
type Column<Row> = readonly [head: string, text: (row: Row) => string];

/** Longest text of a cell. */
const CELL_WIDTH = 28;

const PEERS: readonly Column<PeerStats>[] = [
  ["PARTICIPANT", ({ identity }) => identity],
  ["KIND", ({ kind }) => kind],
  ["ROUND TRIP", ({ roundTrip }) => known(roundTrip, msText)],
  ["WINDOW", ({ window }) => known(window, bytesText)],
  ["IN FLIGHT", ({ inFlight }) => known(inFlight, bytesText)],
  ["RATE", ({ rate }) => known(rate, rateText)],
  ["PENDING", ({ pending }) => bytesText(pending)],
  ["UNREAD", ({ unread }) => bytesText(unread)],
  ["OUT/IN", ({ sending, receiving }) => `${sending}/${receiving}`],
  ["HEARD", ({ heard }) => known(heard, agoText)],
];

const OPEN: readonly Column<StreamStats>[] = [
  ["OPEN", directionText],
  ["TOPIC", ({ topic }) => topic],
  ["WITH", withText],
  ["STATE", ({ state }) => state],
  ["WAITS FOR", ({ waitsFor = "" }) => waitsFor],
  ["BYTES", ({ bytes, size }) => size === undefined ? bytesText(bytes) : `${bytesText(bytes)} of ${bytesText(size)}`],
  ["RATE", ({ rate }) => rateText(rate)],
  ["PENDING", ({ pending }) => bytesText(pending)],
  ["AGE", ({ age }) => agoText(age)],
];

const ENDED: readonly Column<EndedStreamStats>[] = [
  ["ENDED", directionText],
  ["TOPIC", ({ topic }) => topic],
  ["WITH", withText],
  ["END", ({ state, code = state }) => code],
  ["BYTES", ({ bytes }) => bytesText(bytes)],
  ["RATE", ({ rate }) => rateText(rate)],
  ["TOOK", ({ age }) => msText(age)],
  ["AGO", ({ endedAgo }) => agoText(endedAgo)],
  ["REASON", ({ reason = "" }) => reason],
];

/** Lines of all tables. Open streams come before ended ones if there are too few rows. */
export function statsLines(stats: RuntimeStats, { columns, rows }: Place): string[] {
  const { identity, state, age, peers, open, ended, workers, jobs, inline, longestHold } = stats;
  const [sent, received] = (["out", "in"] as const).map((one) =>
    open.reduce((sum, { direction, rate }) => sum + (direction === one ? rate : 0), 0)
  ) as [number, number];
  const lines = [
    `"${printableLine(identity)}" ${state}, for ${agoText(age)}; sends ${rateText(sent)}, receives ${rateText(received)}`,
    `${workers} workers, ${jobs} jobs, ${inline} on its own thread; longest hold of the event loop ${msText(longestHold)}`,
    "",
    ...table(PEERS, peers),
    "",
    ...table(OPEN, open),
    "",
    ...table(ENDED, ended.toReversed()),
  ];
  return lines.slice(0, rows).map((line) => line.slice(0, columns).trimEnd());
}

function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [columns.map(([head]) => head), ...rows.map((row) => columns.map(([, text]) => cut(printableLine(text(row)))))];
  const widths = columns.map((_, at) => cells.reduce((most, line) => Math.max(most, line[at]?.length ?? 0), 0));
  return cells.map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
}

function directionText({ direction, kind }: Pick<StreamStats, "direction" | "kind">): string {
  return `${direction === "out" ? "→" : "←"} ${kind}`;
}

function withText({ identities }: Pick<StreamStats, "identities">): string {
  return identities.length === 0 ? "everybody" : identities.join(", ");
}

function cut(text: string): string {
  return text.length > CELL_WIDTH ? `${text.slice(0, CELL_WIDTH - 1)}…` : text;
}

function known(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? "–" : text(value);
}

function rateText(rate: number): string {
  return `${bytesText(rate)}/s`;
}

function agoText(ms: number): string {
  return durationText(Math.floor(ms / 1_000));
}

/** Formats a time in ms: "3.4 ms", "120 ms", "12 s". */
export function msText(ms: number): string {
  if (ms >= 10_000) return durationText(ms / 1_000);
  return `${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
