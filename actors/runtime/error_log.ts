import { causeText, escaped, type StreamError, type StreamErrorCode } from "../../errors.ts";

/** Least time between two lines of one code, in ms. */
const INTERVAL = 1_000;

/** Options of the log that a runtime without `onError` writes. */
export interface ErrorLogOptions {
  /** Time of a monotonic clock, in ms. */
  readonly now: () => number;
  /** Writes a line; default to stderr. */
  readonly write?: (line: string) => void;
}

/** Log of errors that no call can reject with: one line each on stderr, at most one per code and second. */
export class ErrorLog {
  readonly #now: () => number;
  readonly #write: (line: string) => void;
  /** Time of each code's last line, in ms, and the number of errors omitted since. */
  readonly #written = new Map<StreamErrorCode, { at: number; omitted: number }>();

  constructor({ now, write = writeToStderr }: ErrorLogOptions) {
    this.#now = now;
    this.#write = write;
  }

  note(error: StreamError, about: { topic?: string; identity?: string }): void {
    const last = this.#written.get(error.code);
    const now = this.#now();
    if (last !== undefined && now - last.at < INTERVAL) {
      last.omitted++;
      return;
    }
    this.#written.set(error.code, { at: now, omitted: 0 });
    this.#write(lineOf(error, about, last?.omitted ?? 0));
  }
}

/** Formats an error on one line, without control characters of other participants. */
function lineOf(error: StreamError, { topic, identity }: { topic?: string; identity?: string }, omitted: number): string {
  const { code, message } = error;
  const parts = [`millrace: ${code}: ${escaped(message)}`];
  const cause = causeText(error.cause);
  if (cause !== "" && !message.includes(cause)) parts.push(`cause is ${cause}`);
  if (topic !== undefined) parts.push(`topic is "${escaped(topic)}"`);
  if (identity !== undefined && !message.includes(identity)) parts.push(`participant is "${escaped(identity)}"`);
  if (omitted > 0) parts.push(`${omitted} more of this code were not shown`);
  return parts.join(", ");
}

function writeToStderr(line: string): void {
  // A single argument, as `console.error` expands placeholders only if more follow.
  console.error(line); // oxlint-disable-line no-console -- the one stderr of all runtimes and pages
}
