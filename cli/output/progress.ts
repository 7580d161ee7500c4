import type { Progress } from "millrace";
import { bytesText, printableLine } from "./printable.ts";

/** Shows transfers under way: bars on a terminal, lines where there is none. */
export interface ProgressView {
  start(label: string, total: number | undefined): TransferView;
  stop(): void;
}

/** One transfer in a view. */
export interface TransferView {
  update(progress: Progress): void;
  /** May be called twice. */
  end(): void;
}

/** Names a transfer: "report.pdf → bob, carol" of a sender, "report.pdf ← alice" of a receiver. */
export function transferLabel(direction: "send" | "receive", file: string, identities: readonly string[]): string {
  const others = identities.length === 0 ? "everybody" : identities.map(printableLine).join(", ");
  return `${printableLine(file)} ${direction === "send" ? "→" : "←"} ${others}`;
}

/** "12.3 MB of 30.0 MB, 1.2 MB/s, 15 s left", or as much of it as is known. */
export function progressText({ bytes, total, bytesPerSecond }: Progress): string {
  const amount = total === undefined ? bytesText(bytes) : `${bytesText(bytes)} of ${bytesText(total)}`;
  const left = total === undefined ? undefined : secondsLeft(total - bytes, bytesPerSecond);
  return [amount, `${bytesText(bytesPerSecond)}/s`, ...(left === undefined ? [] : [`${durationText(left)} left`])].join(", ");
}

/** Undefined while nothing moves. */
function secondsLeft(bytes: number, bytesPerSecond: number): number | undefined {
  return bytesPerSecond > 0 ? Math.max(0, bytes) / bytesPerSecond : undefined;
}

/** Two units at most: "7 s", "2 min 5 s", "3 h 20 min". */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

/** The progress of a stream that does not tell its size, against a size that is nearly so: it does not reach 100 % before the end. */
export function withTotal(progress: Progress, total: number | undefined): Progress {
  if (progress.total !== undefined || total === undefined) return progress;
  return { ...progress, total, percent: total === 0 ? 0 : Math.min(99, 100 * progress.bytes / total) };
}
