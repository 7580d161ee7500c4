/**
 * What ended a stream, or why a call was not carried out.
 *
 * | code | meaning |
 * | --- | --- |
 * | `closed` | the writer or reader was used after its end |
 * | `aborted` | the sender gave up, by `abort`, by a signal, or by leaving an `await using` scope |
 * | `cancelled` | the receiver wants no more of it |
 * | `disconnected` | the other participant, or this one, left |
 * | `timeout` | no sign of life, or no progress, for as long as the limits allow |
 * | `incomplete` | bytes are missing |
 * | `too-large` | more bytes than announced or allowed |
 * | `corrupt` | the bytes are not those that were sent |
 * | `refused` | the receiver does not take the stream |
 * | `invalid-argument` | the call's arguments are wrong; nothing was sent |
 * | `handler-exists` | the topic has a handler already |
 * | `duplicate-stream` | the stream id is in use by another open stream |
 * | `unsafe-name` | the sender's file name cannot be made safe |
 * | `file-exists` | the file is there already |
 * | `file-error` | the file system refused; `cause` says what |
 * | `worker-lost` | a job's worker died, and so did the one it was given to next |
 * | `transport` | the transport failed; `cause` says how |
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

/** Every {@linkcode StreamErrorCode}; a code from the wire counts only if it is one of these. */
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

/** What a {@linkcode StreamError} knows beside its code and message. */
export interface StreamErrorOptions {
  /** What brought it about: a file system error, the reason of an `AbortSignal`. */
  cause?: unknown;
  /** The stream it is about. */
  streamId?: string;
  /** The participant it is about. */
  identity?: string;
  /** The text given to `abort`, `cancel` or `close` at the other end. */
  reason?: string;
}

/**
 * The one error class of Millrace: `code` is for programs, `message` for people.
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
  /** The name of the class, for logs. */
  override readonly name: string = "StreamError";
  /** What happened, for programs. */
  readonly code: StreamErrorCode;
  /** The stream it is about. */
  readonly streamId?: string;
  /** The participant it is about. */
  readonly identity?: string;
  /** The text given to `abort`, `cancel` or `close` at the other end. */
  readonly reason?: string;

  /** `message` is for people, and says the action, the cause and the value; `options` is what else is known. */
  constructor(code: StreamErrorCode, message: string, options: StreamErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.streamId !== undefined) this.streamId = options.streamId;
    if (options.identity !== undefined) this.identity = options.identity;
    if (options.reason !== undefined) this.reason = options.reason;
  }
}
