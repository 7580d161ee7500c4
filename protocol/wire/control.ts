// Control messages of Millrace runtimes. All are cumulative: a packet may be lost, repeated or late, and the next one says the same and
// more. Unknown kinds are ignored.
import { STREAM_ERROR_CODES, type StreamErrorCode } from "../../errors.ts";
import { LEAST_WINDOW } from "../constants.ts";
import { PROTOCOL_VERSION } from "./extension.ts";
import { decodeMsgpack, encodeMsgpack } from "./msgpack.ts";
import { isCount, isInstance, isRecord, isStringArray } from "../../common/shapes.ts";

/** Hello: announces a Millrace runtime, its windows and encodings. */
export interface Hello {
  readonly kind: "hello";
  /** Instance of the runtime. A new instance ends the streams of the one before. */
  readonly instance: string;
  /** Receive window of a stream before its own credit is known, in bytes. */
  readonly streamWindow: number;
  /** Credit of all streams together: an absolute offset, as {@linkcode PeerState.credit}. */
  readonly credit: number;
  /** Milliseconds of silence after which this runtime ends a stream. */
  readonly idleTimeout: number;
  /** Streams that may be opened, as in {@linkcode PeerState.streams}; undefined: no limit is stated, excess streams are refused. */
  readonly streams?: number;
  /** Frame encodings that this runtime reads. */
  readonly encodings: readonly string[];
  /** Whether an answering hello is requested. */
  readonly answer: boolean;
}

/** Goodbye: the runtime is closing; the participant may stay. */
export interface Goodbye {
  readonly kind: "goodbye";
  readonly instance: string;
}

/** States of some streams between two runtimes, and the connection's credit. */
export interface PeerState {
  readonly kind: "state";
  readonly instance: string;
  /** Instance of the other runtime that the message is about. */
  readonly about: string;
  /** Credit of all streams from the receiver of this message: bytes beyond first chunks since its start, an absolute offset. */
  readonly credit: number;
  /** Streams that the receiver of this message may have opened since its start. Undefined: no limit is stated. */
  readonly streams?: number;
  /** Streams opened to the receiver of this message since its start. */
  readonly opened?: number;
  /** Sends that wait until more streams may be opened to the receiver of this message. */
  readonly waiting?: number;
  /** States of streams from the receiver of this message. */
  readonly receiving: readonly ReceivingState[];
  /** States of streams to the receiver of this message. */
  readonly sending: readonly SendingState[];
}

/** Whether a receiver has a handler: "claimed" yes, "unclaimed" not yet. */
export type Claim = "pending" | "claimed" | "unclaimed";

/** State of a stream at its receiver. */
export interface ReceivingState {
  readonly sequence: number;
  readonly claim: Claim;
  /** Offset in plain bytes up to which the sender may send. */
  readonly credit: number;
  /** Offset in plain bytes up to which all has arrived. */
  readonly received: number;
  /** Offset in plain bytes up to which the reader has consumed, checked. */
  readonly taken: number;
  /** End of the stream: "done" if all was consumed and checked, `received` being the size; else the code of the error. */
  readonly end?: "done" | StreamErrorCode;
  readonly reason?: string;
  /** With "done": the digest of the consumed bytes, as in the trailer. */
  readonly digest?: string;
}

/** State of a stream at its sender. */
export interface SendingState {
  readonly sequence: number;
  /** Offset in plain bytes at which the stream ended; undefined while it goes on. */
  readonly final?: number;
  /** Code of the error of a stream that ended before it was whole. */
  readonly end?: StreamErrorCode;
  readonly reason?: string;
}

/** Acknowledgement of bulk chunks, for congestion control. Credit is in {@linkcode PeerState}. */
export interface Acknowledgement {
  readonly kind: "ack";
  readonly instance: string;
  /** Instance of the other runtime that the message is about. */
  readonly about: string;
  readonly streams: readonly AcknowledgedStream[];
}

/** Number of chunks of one stream that have come without a gap. */
export interface AcknowledgedStream {
  readonly sequence: number;
  readonly chunks: number;
}

export type ControlMessage = Hello | Goodbye | PeerState | Acknowledgement;

/** Most characters of a reason; the rest is cut. */
export const REASON_LENGTH = 200;

/** Largest control packet, in bytes. */
const MAX_CONTROL_BYTES = 15_000;

/** Codes that a sender's failure keeps on the wire; every other failure is reported as "aborted". */
const SENDER_CODES: ReadonlySet<StreamErrorCode> = new Set(["aborted", "incomplete", "timeout", "disconnected"]);

/** Codes that a receiver's failure keeps on the wire; every other failure is reported as "cancelled". */
const RECEIVER_CODES: ReadonlySet<StreamErrorCode> = new Set([
  "cancelled",
  "disconnected",
  "timeout",
  "incomplete",
  "too-large",
  "corrupt",
  "refused",
  "unsafe-name",
  "file-exists",
  "file-error",
  "worker-lost",
]);

/** Maps a sender's code to one that is allowed on the wire. */
export function senderCode(code: StreamErrorCode): StreamErrorCode {
  return SENDER_CODES.has(code) ? code : "aborted";
}

/** Maps a receiver's code to one that is allowed on the wire. */
export function receiverCode(code: StreamErrorCode): StreamErrorCode {
  return RECEIVER_CODES.has(code) ? code : "cancelled";
}

const CLAIMS = ["pending", "claimed", "unclaimed"] as const;

export function encodeControl(message: ControlMessage): Uint8Array {
  switch (message.kind) {
    case "hello": {
      const { instance: i, streamWindow: w, credit: m, idleTimeout: t, streams: n, encodings: e, answer: a } = message;
      return encodeMsgpack({ k: "hello", v: PROTOCOL_VERSION, i, w, m, t: Number.isFinite(t) ? t : -1, ...defined({ n }), e, a });
    }
    case "goodbye":
      return encodeMsgpack({ k: "goodbye", i: message.instance });
    case "ack":
      return encodeMsgpack({
        k: "ack",
        i: message.instance,
        p: message.about,
        a: message.streams.map(({ sequence, chunks }) => [sequence, chunks]),
      });
    case "state":
      return encodeMsgpack({
        k: "state",
        i: message.instance,
        p: message.about,
        m: message.credit,
        ...defined({ n: message.streams, o: message.opened, q: message.waiting }),
        r: message.receiving.map((row) => [
          row.sequence,
          CLAIMS.indexOf(row.claim),
          row.credit,
          row.received,
          row.taken,
          row.end ?? null,
          cutReason(row.reason),
          row.digest ?? null,
        ]),
        s: message.sending.map((row) => [row.sequence, row.final ?? null, row.end ?? null, cutReason(row.reason)]),
      });
  }
}

/** Drops keys without a value: msgpack would carry them as null. */
function defined(counts: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const set: Record<string, number> = {};
  for (const [key, value] of Object.entries(counts)) if (value !== undefined) set[key] = value;
  return set;
}

function cutReason(reason: string | undefined): string | null {
  return reason === undefined ? null : reason.slice(0, REASON_LENGTH);
}

/** Decodes a control packet; undefined if its kind or shape is unknown. */
export function decodeControl(bytes: Uint8Array): ControlMessage | undefined {
  const message = bytes.length > MAX_CONTROL_BYTES ? undefined : decodeMsgpack(bytes);
  if (!isRecord(message)) return undefined;
  const { k, i } = message;
  if (!isInstance(i)) return undefined;
  if (k === "hello") return decodeHello(message, i);
  if (k === "goodbye") return { kind: "goodbye", instance: i };
  if (k === "state") return decodeState(message, i);
  if (k === "ack") return decodeAcknowledgement(message, i);
  return undefined;
}

function decodeHello({ v, w, m, t, n, e, a }: Record<string, unknown>, instance: string): Hello | undefined {
  if (v !== PROTOCOL_VERSION || !isCount(w) || !isCount(m) || typeof a !== "boolean" || !isStringArray(e)) return undefined;
  if (typeof t !== "number" || Number.isNaN(t) || w < LEAST_WINDOW || m < LEAST_WINDOW) return undefined;
  if (n !== undefined && !isCount(n)) return undefined;
  const idleTimeout = t < 0 ? Infinity : t;
  const streams = n === undefined ? {} : { streams: n };
  return { kind: "hello", instance, streamWindow: w, credit: m, idleTimeout, ...streams, encodings: e, answer: a };
}

function decodeAcknowledgement({ p, a }: Record<string, unknown>, instance: string): Acknowledgement | undefined {
  if (typeof p !== "string" || !Array.isArray(a)) return undefined;
  const streams: AcknowledgedStream[] = [];
  for (const row of a as unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [sequence, chunks] = row as unknown[];
    if (!isCount(sequence) || !isCount(chunks)) return undefined;
    streams.push({ sequence, chunks });
  }
  return { kind: "ack", instance, about: p, streams };
}

function decodeState({ p, m, n, o, q, r, s }: Record<string, unknown>, instance: string): PeerState | undefined {
  if (typeof p !== "string" || !isCount(m) || !Array.isArray(r) || !Array.isArray(s)) return undefined;
  if ([n, o, q].some((count) => count !== undefined && !isCount(count))) return undefined;
  const receiving = r.map(decodeReceiving);
  const sending = s.map(decodeSending);
  if (receiving.includes(undefined) || sending.includes(undefined)) return undefined;
  return {
    kind: "state",
    instance,
    about: p,
    credit: m,
    ...(isCount(n) ? { streams: n } : {}),
    ...(isCount(o) ? { opened: o } : {}),
    ...(isCount(q) ? { waiting: q } : {}),
    receiving: receiving.filter((row) => row !== undefined),
    sending: sending.filter((row) => row !== undefined),
  };
}

function decodeReceiving(row: unknown): ReceivingState | undefined {
  if (!Array.isArray(row)) return undefined;
  const [sequence, claimIndex, credit, received, taken, end, reason, digest] = row as unknown[];
  const claim = isCount(claimIndex) ? CLAIMS[claimIndex] : undefined;
  if (!isCount(sequence) || claim === undefined || !isCount(credit) || !isCount(received) || !isCount(taken)) return undefined;
  if (taken > received || (end !== null && end !== "done" && !isErrorCode(end))) return undefined;
  if (!isTextOrNull(reason) || !isTextOrNull(digest) || (end === "done" && digest === null)) return undefined;
  return {
    sequence,
    claim,
    credit,
    received,
    taken,
    ...(end === null ? {} : { end: end === "done" ? end : receiverCode(end) }),
    ...decodeReason(reason),
    ...(end === "done" && digest !== null ? { digest } : {}),
  };
}

function decodeSending(row: unknown): SendingState | undefined {
  if (!Array.isArray(row)) return undefined;
  const [sequence, final, end, reason] = row as unknown[];
  if (!isCount(sequence) || (final !== null && !isCount(final)) || (end !== null && !isErrorCode(end))) return undefined;
  if (!isTextOrNull(reason) || (end !== null && final === null)) return undefined;
  return {
    sequence,
    ...(final === null ? {} : { final }),
    ...(end === null ? {} : { end: senderCode(end) }),
    ...decodeReason(reason),
  };
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function decodeReason(reason: string | null): { reason?: string } {
  return reason === null ? {} : { reason: reason.slice(0, REASON_LENGTH) };
}

/** Whether a value from the wire is one of our error codes. */
export function isErrorCode(value: unknown): value is StreamErrorCode {
  return STREAM_ERROR_CODES.includes(value as StreamErrorCode);
}
