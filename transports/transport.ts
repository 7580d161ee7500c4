import type { Packet } from "../protocol/wire/packets.ts";
import type { SharedFrame } from "../protocol/wire/shared_frame.ts";

/** Stream for a handler of the transport itself. Its parts are strings of text, or arrays of bytes. */
export interface OfferedStream extends AsyncIterable<string | Uint8Array> {
  /** Info of the stream, from its sender. */
  readonly info: {
    readonly streamId: string;
    readonly mimeType: string;
    readonly topic: string;
    readonly timestamp: number;
    readonly size?: number;
    readonly attributes: Readonly<Record<string, string>>;
    /** Name; of byte streams only. */
    readonly name?: string;
  };
  /** Ends the stream early. */
  cancel(reason?: string): Promise<void>;
}

/** Takes a stream and its sender. A handler that rejects cancels the stream. */
export type TransportHandler = (stream: OfferedStream, identity: string) => Promise<void>;

/** Events of a transport, called one at a time, and never within a call of `send`. */
export interface TransportEvents {
  /**
   * A packet came. The transport vouches for the identity `from`. The packet's bytes belong to the transport and may change after the call:
   * copy within the call any bytes that are kept.
   */
  packet(packet: Packet, from: string): void;
  /** A participant joined. One that joins anew has left before. */
  joined(identity: string): void;
  /** A participant left. No packet comes from it until it has joined again. */
  left(identity: string): void;
  /**
   * This participant has a new connection, and the others may have been told that it had left. All streams end, and the runtime begins a new
   * life. A transport without such connections never calls this.
   */
  renewed?(): void;
  /** A handler was registered with the transport itself: {@linkcode Transport.handler}. */
  registered?(kind: "text" | "bytes", topic: string): void;
  /** The transport has ended by itself, perhaps with an error. No event follows. */
  closed(error?: Error): void;
}

/**
 * Least interface that can carry the protocol. `createHub()` makes transports, and so can you. One conformance suite tests every transport:
 * `tests/support/conformance/transport.ts`.
 *
 * A transport keeps the order of `send` between two participants. It delivers each packet at most once, unchanged, and only to its
 * destinations. Packets may be lost. A participant that vanishes is reported by `left`, sooner or later.
 */
export interface Transport {
  /** Identity of this participant. */
  readonly identity: string;
  /** True if packets of any size are handed over at once and never queue. Otherwise congestion control bounds the bytes in flight. */
  readonly direct?: boolean;
  /**
   * Longest chunk on a fast link between Millrace runtimes, in bytes: one large chunk costs less than two small ones. Default: chunks keep
   * their size.
   */
  readonly largestChunk?: number;
  /**
   * True if participants may be present that `participants()` does not list, such as hidden ones. A broadcast then names no destinations, so
   * that these get its packets too.
   */
  readonly hasUnlisted?: boolean;
  /** Identities of the other participants that are present; known before `open`. */
  participants(): readonly string[];
  /**
   * Resolves when all are known to be present, when discovery has timed out, or when the transport has ended. A transport that always
   * lists every participant needs no `find`.
   */
  find?(identities: readonly string[]): Promise<void>;
  /** Finds a topic's handler that the program registered with the transport. This one gets streams without a handler in the runtime. */
  handler?(kind: "text" | "bytes", topic: string): TransportHandler | undefined;
  /** Starts calling `events`; the runtime calls this once. Packets that came earlier are dropped. */
  open(events: TransportEvents): void;
  /**
   * Sends a packet to the named participants, or to everybody but this one. A destination that is absent is no error: `left` reports
   * that. The caller must not change the packet's bytes before the promise has settled.
   *
   * Resolves when the transport's own queue has room for more, which slows a fast sender down. Rejects if the packet was not sent.
   * StreamError "transport" concerns this packet (too large, not permitted), "disconnected" a transport that has ended.
   */
  send(packet: Packet, destinations?: readonly string[]): Promise<void>;
  /** Leaves; idempotent. Resolves when earlier packets have been handed over, and all resources are released. */
  close(): Promise<void>;
}

/** Events of a transport within a process. */
export interface SharingEvents extends TransportEvents {
  /** A frame came in its sender's memory. Whoever keeps the memory takes a hold of its own within the call. */
  shared(frame: SharedFrame, from: string): void;
}

/** Transport within a process, which hands frames over in the sender's memory. */
export interface SharingTransport extends Transport {
  /**
   * Hands a frame to participants, in order with `send`. Resolves once each has it; then the sender may release the memory. Undefined, and
   * nothing sent, if a participant cannot take memory now: the frame then goes in chunks.
   */
  share(frame: SharedFrame, destinations: readonly string[]): Promise<void> | undefined;
}
