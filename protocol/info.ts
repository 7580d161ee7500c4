// Descriptions of streams for users.
import type { StreamErrorCode } from "../errors.ts";

/** Description of a stream of either kind. */
export interface BaseStreamInfo {
  /** Unique among its sender's open streams. */
  streamId: string;
  /** "text/plain" for text; for bytes the sender's choice, by default "application/octet-stream". */
  mimeType: string;
  /** Topic that handlers are registered for; "" if none was given. */
  topic: string;
  /** When the stream was opened, Unix time in milliseconds. */
  timestamp: number;
  /** Total size in bytes, if known from the start. */
  size?: number;
  /** The sender's own key-value pairs. */
  attributes: Record<string, string>;
}

/** Description of a text stream. */
export interface TextStreamInfo extends BaseStreamInfo {
  /** Ids of the streams that carry its attachments, from the same sender on the same topic. */
  attachments: string[];
  /** Id of the stream that this one replies to. */
  replyToId?: string;
  /** Outcome at each receiver of a text that was sent with `confirm`. */
  receipts?: Receipt[];
}

/** Description of a byte stream. */
export interface ByteStreamInfo extends BaseStreamInfo {
  /** The file's name as the sender gave it. Not safe as a path: `saveTo` makes it safe. */
  name: string;
  /** Outcome at each receiver of a stream that was sent with `confirm`. */
  receipts?: Receipt[];
}

/** Outcome of a stream at one Millrace receiver that claimed it. */
export interface Receipt {
  /** The receiver. */
  identity: string;
  /** Bytes that its reader has consumed, checked. */
  bytes: number;
  /** Code of the error, if the receiver did not consume the whole stream. */
  error?: StreamErrorCode;
}
