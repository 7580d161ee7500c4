/**
 * Code of an error: why a stream ended or a call failed.
 *
 * | code | meaning |
 * | --- | --- |
 * | `closed` | the writer or reader was used after its end |
 * | `aborted` | the sender gave up, by `abort`, by a signal, or by leaving an `await using` scope |
 * | `cancelled` | the receiver cancelled the stream |
 * | `disconnected` | the other participant, or this one, left |
 * | `timeout` | no sign of life or no progress within the time of a limit |
 * | `incomplete` | bytes are missing |
 * | `too-large` | more bytes than announced or allowed |
 * | `corrupt` | the bytes differ from those that were sent |
 * | `refused` | the receiver does not accept the stream |
 * | `invalid-argument` | the call's arguments are wrong; nothing was sent |
 * | `handler-exists` | the topic already has a handler |
 * | `duplicate-stream` | the stream id is in use by another open stream |
 * | `unsafe-name` | the sender's file name cannot be made safe |
 * | `file-exists` | the file already exists |
 * | `file-error` | the file system failed; `cause` has its error |
 * | `worker-lost` | a job's worker died, and so did the worker of its second attempt |
 * | `transport` | the transport failed; `cause` has its error |
 */
export type StreamErrorCode =
  | "closed"
  | "aborted"
  | "cancelled"
  | "disconnected"
  | "timeout"
  | "incomplete"
  | "too-large"
  | "corrupt"
  | "refused"
  | "invalid-argument"
  | "handler-exists"
  | "duplicate-stream"
  | "unsafe-name"
  | "file-exists"
  | "file-error"
  | "worker-lost"
  | "transport";

/** Every {@linkcode StreamErrorCode}, for checks of codes from the wire. */
export const STREAM_ERROR_CODES: readonly StreamErrorCode[] = [
  "closed",
  "aborted",
  "cancelled",
  "disconnected",
  "timeout",
  "incomplete",
  "too-large",
  "corrupt",
  "refused",
  "invalid-argument",
  "handler-exists",
  "duplicate-stream",
  "unsafe-name",
  "file-exists",
  "file-error",
  "worker-lost",
  "transport",
];

/** Options of a {@linkcode StreamError} beside its code and message. */
export interface StreamErrorOptions {
  /** Underlying error: of the file system, or the reason of an `AbortSignal`. */
  cause?: unknown;
  /** Id of the stream concerned. */
  streamId?: string;
  /** Identity of the participant concerned. */
  identity?: string;
  /** Text given to `abort`, `cancel` or `close`. */
  reason?: string;
}

/**
 * The only error class of Millrace: `code` is for programs, `message` for people.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime, StreamError } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * try {
 *   await alice.sendText("anyone?", { destinationIdentities: ["nobody"] });
 * } catch (error) {
 *   if (!(error instanceof StreamError) || error.code !== "disconnected") throw error;
 * }
 * await alice.close();
 * ```
 */
export class StreamError extends Error {
  /** Name of the class, for logs. */
  override readonly name: string = "StreamError";
  /** Code of the error, for programs. */
  readonly code: StreamErrorCode;
  /** Id of the stream concerned. */
  readonly streamId?: string;
  /** Identity of the participant concerned. */
  readonly identity?: string;
  /** Text given to `abort`, `cancel` or `close`. */
  readonly reason?: string;

  /**
   * `message` states the action, the cause and the current value, for people. Control characters in the message are escaped.
   */
  constructor(code: StreamErrorCode, message: string, options: StreamErrorOptions = {}) {
    super(escaped(message), "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.streamId !== undefined) this.streamId = options.streamId;
    if (options.identity !== undefined) this.identity = options.identity;
    if (options.reason !== undefined) this.reason = options.reason;
  }
}

/** Control characters, line ends, bidirectional controls and lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Escapes a text for one line of a log or terminal: control characters, line breaks and changes of direction. */
export function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Longest text of a cause in a message, in UTF-16 code units. */
const CAUSE_LENGTH = 300;

/** Formats a cause as a part of another message: " (no such room)"; "" for an empty cause. */
export function inBrackets(cause: unknown): string {
  const text = causeText(cause);
  return text === "" ? "" : ` (${text})`;
}

/** Formats a cause's message on one line, cut short; "" for an empty cause. */
export function causeText(cause: unknown): string {
  const text = escaped(ownText(cause));
  return text.length > CAUSE_LENGTH ? `${text.slice(0, CAUSE_LENGTH)}…` : text;
}

function ownText(cause: unknown): string {
  if (cause === undefined || cause === null) return "";
  try {
    if (typeof cause !== "object") return String(cause);
    const { message, name } = cause as { message?: unknown; name?: unknown }; // `instanceof Error` fails across realms
    if (typeof message === "string" && message !== "") return message;
    return typeof name === "string" ? name : "";
  } catch {
    return ""; // the value's own getter has thrown
  }
}
