// millrace doctor: examines the line to a participant.
import { type Examination, examine } from "millrace/diagnostics";
import { EXIT, toFailure } from "../failure.ts";
import { bytesText, printableLine } from "../output/printable.ts";
import { msText } from "../output/stats_table.ts";
import { inSession, type Invocation } from "../room/session.ts";

/** Options of `millrace doctor`. */
export interface DoctorTask {
  readonly to: string;
  readonly pings: number;
  /** Duration of the streams of bytes each way, in seconds. */
  readonly seconds: number;
  /** Time to wait for the participant, in seconds. */
  readonly wait: number;
}

/** Runs `millrace doctor`. Resolves with the exit code. */
export async function doctor({ to, pings, seconds, wait }: DoctorTask, invocation: Invocation): Promise<number> {
  return await inSession(invocation, { topic: "" }, async ({ runtime, watcher, output, signal, room }) => {
    await watcher.waitFor({ identities: [to], count: 1, action: "examine the line" }, wait, signal);
    output.notice(`Examining the line to "${to}" in room "${room}", for some ${Math.ceil(2 * seconds + pings * 0.02)} s`);
    try {
      const examination = await examine(runtime, to, { pings, seconds, signal });
      output.event({ event: "examined", to, examination });
      output.line(pageOf(to, examination, seconds > 0));
      return EXIT.ok;
    } catch (error) {
      throw toFailure(error);
    }
  });
}

function pageOf(
  to: string,
  { here, there, latency, pings, lost, clockOffset, ...rates }: Examination,
  hasThroughput: boolean,
): string {
  const { throughputThere, throughputHere } = rates;
  const throughputRows: [string, string][] = [
    ["throughput there", rateText(throughputThere)],
    ["throughput back", rateText(throughputHere)],
  ];
  const clock = Math.abs(clockOffset) < 0.5
    ? "as here"
    : `${msText(Math.abs(clockOffset))} ${clockOffset > 0 ? "ahead" : "behind"}`;
  const rows: [string, string][] = [
    [
      "latency",
      `p50 ${msText(latency.p50)}, p95 ${msText(latency.p95)}, least ${msText(latency.least)}`,
    ],
    ["loss", `${lost} of ${pings} (${(100 * lost / pings).toFixed(1)} %)`],
    ...(hasThroughput ? throughputRows : []),
    ["clock there", `${clock}, to ${msText(latency.least / 2 + 1)}`],
    ["here", `millrace ${here.millrace}, ${here.platform}`],
    ["there", `millrace ${there.millrace}, ${there.platform}`],
  ];
  return [`Line to "${to}"`, ...rows.map(([name, value]) => `  ${name.padEnd(16)}  ${value}`)].map(printableLine).join("\n");
}

function rateText(rate: number | undefined): string {
  return rate === undefined ? "too slow to tell: give more --seconds" : `${bytesText(rate)}/s`;
}
