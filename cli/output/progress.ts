import type { Progress } from "millrace";
import { bytesText, printableLine } from "./printable.ts";

/** View of open transfers: bars on a terminal, otherwise lines. */
export interface ProgressView {
  /** Starts showing a transfer. */
  start(label: string, total: number | undefined): TransferView;
  /** Removes all transfers. */
  stop(): void;
}

/** Transfer in a view. */
export interface TransferView {
  /** Shows the progress. */
  update(progress: Progress): void;
  /** Removes the transfer; idempotent. */
  end(): void;
}

/** Makes a transfer's label: "report.pdf → bob, carol" at a sender, "report.pdf ← alice" at a receiver. */
export function transferLabel(direction: "send" | "receive", file: string, identities: readonly string[]): string {
  const others = identities.length === 0 ? "everybody" : identities.map(printableLine).join(", ");
  return `${printableLine(file)} ${direction === "send" ? "→" : "←"} ${others}`;
}

/** Formats a progress: "12.3 MB of 30.0 MB, 1.2 MB/s, 15 s left", or the known part of that. */
export function progressText({ bytes, total, bytesPerSecond }: Progress): string {
  const amount = total === undefined ? bytesText(bytes) : `${bytesText(bytes)} of ${bytesText(total)}`;
  const left = total === undefined ? undefined : secondsLeft(total - bytes, bytesPerSecond);
  return [amount, `${bytesText(bytesPerSecond)}/s`, ...(left === undefined ? [] : [`${durationText(left)} left`])].join(", ");
}

/** Estimates the remaining time, in seconds; undefined at a rate of 0. */
function secondsLeft(bytes: number, bytesPerSecond: number): number | undefined {
  return bytesPerSecond > 0 ? Math.max(0, bytes) / bytesPerSecond : undefined;
}

/** Formats a duration in at most two units: "7 s", "2 min 5 s", "3 h 20 min". */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

/** Adds an estimated total to a progress without one; the percentage stays below 100. */
export function withTotal(progress: Progress, total: number | undefined): Progress {
  if (progress.total !== undefined || total === undefined) return progress;
  return { ...progress, total, percent: total === 0 ? 0 : Math.min(99, 100 * progress.bytes / total) };
}
