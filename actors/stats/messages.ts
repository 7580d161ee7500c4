// Messages of the channels `millrace:…` of Node's diagnostics_channel. None has contents; names only if they were asked for.
import type { StreamErrorCode } from "../../errors.ts";
import type { FlowWait } from "../common/stream_wait.ts";

/** Stream that a message is about. */
export interface StreamMessage {
  /** Random id of the runtime. */
  readonly runtime: string;
  readonly streamId: string;
  readonly direction: "out" | "in";
  readonly kind: "text" | "bytes";
  /** Size in bytes, if known. */
  readonly size?: number;
  /** Names, with the option `diagnosticNames`. */
  readonly names?: StreamNames;
}

/** Names of a stream. */
export interface StreamNames {
  /** Identity of the runtime. */
  readonly identity: string;
  readonly topic: string;
  /** Receivers that the sender named, none for a broadcast; of an incoming stream its sender. */
  readonly identities: readonly string[];
  /** Reason of the end that the other end has given. */
  readonly reason?: string;
}

/** Message of `millrace:stream:open`. */
export type StreamOpenMessage = StreamMessage;

/** Message of `millrace:stream:close`. */
export interface StreamCloseMessage extends StreamMessage {
  /** Bytes given to the transport, or that have come. */
  readonly bytes: number;
  /** Time that the stream took, in ms. */
  readonly duration: number;
  /** Code of its error; absent for a whole stream. */
  readonly code?: StreamErrorCode;
}

/** Message of `millrace:peer:join` and `millrace:peer:leave`. */
export interface PeerMessage {
  readonly runtime: string;
  /** Names, with the option `diagnosticNames`: the identities of the runtime and of the participant. */
  readonly names?: { readonly identity: string; readonly peer: string };
}

/** Message of `millrace:flow:wait`: flow control begins to make a stream wait. */
export interface FlowWaitMessage extends StreamMessage {
  readonly waitsFor: FlowWait;
}

/**
 * Message of `tracing:millrace.send` and `tracing:millrace.receive`: one object from the start of a stream to its end. A send begins with the
 * call; a receive is the call of the handler, and ends when handler and stream have ended.
 */
export interface TraceMessage extends StreamMessage {
  /** Trace for the stream's header, which subscribers of "start" may fill; of an incoming stream the sender's. */
  readonly trace: Record<string, string>;
  /** Bytes so far. */
  bytes: number;
  /** Error of the stream, or of its handler. */
  error?: unknown;
}
