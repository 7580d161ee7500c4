// How a stream that comes in was ended by its sender.
import type { StreamErrorCode } from "../../errors.ts";
import { isErrorCode, senderCode } from "../../protocol/wire/control.ts";
import { decodeTrailer, type TrailerExtension } from "../../protocol/wire/extension.ts";

/** Reason and attributes that a handler is told at the end. */
export interface Trailer {
  /** "" unless the sender gave one. */
  reason: string;
  attributes: Record<string, string>;
}

/** The same with what the runtime checks; that is absent from a plain sender. */
export interface ReceivedTrailer extends Trailer {
  readonly extension?: TrailerExtension;
}

/** Reads a trailer; undefined if it cannot be read. `own`: the stream is a Millrace runtime's. */
export function readTrailer(reason: string, rawAttributes: unknown, own: boolean): ReceivedTrailer | undefined {
  const decoded = decodeTrailer(rawAttributes);
  if (decoded === undefined || (own && decoded.extension === undefined)) return undefined;
  const { attributes, extension } = decoded;
  return { reason, attributes, ...(own && extension !== undefined ? { extension } : {}) };
}

/** Why its sender ended it before it was whole; undefined if it did not. Of another SDK it means that, if it gave a reason. */
export function abortReasonOf(
  { reason, extension }: ReceivedTrailer,
  own: boolean,
): { code: StreamErrorCode; reason?: string } | undefined {
  if (!own) return reason === "" ? undefined : { code: "aborted", reason };
  if (extension?.code === undefined) return undefined;
  // Other SDKs need a reason to see that it failed: where the sender gave none, the code stands for it.
  return {
    code: isErrorCode(extension.code) ? senderCode(extension.code) : "aborted",
    ...(reason === extension.code ? {} : { reason }),
  };
}
