import type { StreamErrorCode } from "../../errors.ts";
import { isErrorCode, senderCode } from "../../protocol/wire/control.ts";
import { decodeTrailer, type TrailerExtension } from "../../protocol/wire/extension.ts";

/** Reason and attributes of a stream's end, for users. */
export interface Trailer {
  /** Reason given by the sender; "" without one. */
  reason: string;
  attributes: Record<string, string>;
}

/** Trailer with its extension, which other SDKs do not send. */
export interface ReceivedTrailer extends Trailer {
  readonly extension?: TrailerExtension;
}

/** Decodes a trailer; undefined if it cannot be read. `own`: the sender is a Millrace runtime. */
export function readTrailer(reason: string, rawAttributes: unknown, own: boolean): ReceivedTrailer | undefined {
  const decoded = decodeTrailer(rawAttributes);
  if (decoded === undefined || (own && decoded.extension === undefined)) return undefined;
  const { attributes, extension } = decoded;
  return { reason, attributes, ...(own && extension !== undefined ? { extension } : {}) };
}

/** Code and reason of a sender's abort; undefined for a whole stream. A reason of another SDK means an abort. */
export function abortReasonOf(
  { reason, extension }: ReceivedTrailer,
  own: boolean,
): { code: StreamErrorCode; reason?: string } | undefined {
  if (!own) return reason === "" ? undefined : { code: "aborted", reason };
  if (extension?.code === undefined) return undefined;
  // Other SDKs recognise a failure by its reason: without the user's, the code is the reason.
  return {
    code: isErrorCode(extension.code) ? senderCode(extension.code) : "aborted",
    ...(reason === extension.code ? {} : { reason }),
  };
}
