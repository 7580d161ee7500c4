// How a stream that comes in was ended by its sender.
import type { StreamErrorCode } from "../../errors.ts";
import { isErrorCode, senderCode } from "../../protocol/wire/control.ts";
import { decodeTrailer, type TrailerExtension } from "../../protocol/wire/header.ts";

/** Reason and attributes that a handler is told at the end. */
export interface Trailer {
  /** "" unless the sender gave one. */
  reason: string;
  attributes: Record<string, string>;
}

/** The same with what the runtime checks; that is absent from a plain sender. */
export interface ReceivedTrailer extends Trailer {
  readonly facts?: TrailerExtension;
}

/** Reads a trailer; undefined if it cannot be read. `own`: the stream is a Millrace runtime's. */
export function readTrailer(reason: string, rawAttributes: unknown, own: boolean): ReceivedTrailer | undefined {
  const decoded = decodeTrailer(rawAttributes);
  if (decoded === undefined || (own && decoded.facts === undefined)) return undefined;
  const { attributes, facts } = decoded;
  return { reason, attributes, ...(own && facts !== undefined ? { facts } : {}) };
}

/** Why its sender ended it before it was whole; undefined if it did not. Of another SDK it means that, if it gave a reason. */
export function abortReasonOf(
  { reason, facts }: ReceivedTrailer,
  own: boolean,
): { code: StreamErrorCode; reason?: string } | undefined {
  if (!own) return reason === "" ? undefined : { code: "aborted", reason };
  if (facts?.code === undefined) return undefined;
  // Other SDKs need a reason to see that it failed: where the sender gave none, the code stands for it.
  return { code: isErrorCode(facts.code) ? senderCode(facts.code) : "aborted", ...(reason === facts.code ? {} : { reason }) };
}
