import type { Packet } from "../protocol/wire/packets.ts";

/** A stream for a handler of a transport's own: its parts are strings of text, or arrays of bytes. */
export interface OfferedStream extends AsyncIterable<string | Uint8Array> {
  /** Description of the stream, from its sender. */
  readonly info: {
    readonly streamId: string;
    readonly mimeType: string;
    readonly topic: string;
    readonly timestamp: number;
    readonly size?: number;
    readonly attributes: Readonly<Record<string, string>>;
    /** Name of a byte stream. */
    readonly name?: string;
  };
  /** Ends it before it is whole. */
  cancel(reason?: string): Promise<void>;
}

/** Takes a stream and its sender. If it rejects, the stream is cancelled. */
export type TransportHandler = (stream: OfferedStream, identity: string) => Promise<void>;

/** Events of a transport to the runtime that opened it. The calls come one at a time, never from within a call of `send`. */
export interface TransportEvents {
  /**
   * A packet came. `from` is the identity the transport vouches for. The packet's bytes belong to the transport and may change once
   * the call has returned: what is to be kept is copied within it.
   */
  packet(packet: Packet, from: string): void;
  /** A participant came, or came back as a new one: `left` for the old one was told before. */
  joined(identity: string): void;
  /** A participant is gone. Nothing comes from it any more until it has joined again. */
  left(identity: string): void;
  /** A handler of the transport's own was registered: {@linkcode Transport.handler}. */
  registered?(kind: "text" | "bytes", topic: string): void;
  /** The transport has ended, by itself or with an error. It tells nothing more. */
  closed(error?: Error): void;
}

/**
 * The smallest thing that can carry the protocol. `createHub()` makes one; so can you: one conformance suite runs against every
 * transport (`tests/conformance/transport.ts`).
 *
 * Promise: packets from one participant to another arrive in the order in which `send` was called, each at most once and
 * unchanged, and only at those they are meant for. What it need not promise: that they arrive. A participant who vanishes is told of
 * by `left`, sooner or later.
 */
export interface Transport {
  /** This participant. */
  readonly identity: string;
  /**
   * True: a packet is handed over at once, whatever its size, and nothing queues on its way. Without it, how much is under way is kept
   * in bounds.
   */
  readonly direct?: boolean;
  /**
   * Bytes that a chunk may grow to where the way is fast, as two of the usual size cost more than one of twice that; only between Millrace
   * runtimes. Without it chunks keep their size.
   */
  readonly largestChunk?: number;
  /**
   * True: others than `participants()` may be here, such as hidden ones, and get what is sent to everybody. What a runtime sends to all then
   * names nobody, so that it reaches them too.
   */
  readonly hasUnlisted?: boolean;
  /** The others who are here now; known from before `open`. */
  participants(): readonly string[];
  /**
   * Resolves when participants with these identities are known to be here, or when news of them would have come by now, or the transport
   * has ended. A transport that always knows at once who is here leaves it out.
   */
  find?(identities: readonly string[]): Promise<void>;
  /**
   * The handler of a topic that the program has registered with the transport instead of the runtime, if there is one: it gets the streams
   * for which the runtime has none.
   */
  handler?(kind: "text" | "bytes", topic: string): TransportHandler | undefined;
  /** Starts the delivery of events: called once, by the runtime. Packets that came earlier are dropped. */
  open(events: TransportEvents): void;
  /**
   * Takes a packet for the named participants, or for everybody but this one. A destination that is not here gets nothing, and that
   * is no failure: `left` tells of it. The packet's bytes must not change before the returned promise has settled, and are free
   * after it.
   *
   * Resolves when the transport's own queue has room for more. It may take long: a sender waits for it and so is slowed down.
   * Rejects if the packet was not sent: with a StreamError "transport" if this packet could not be (too large, not permitted;
   * the transport goes on), with "disconnected" if the transport has ended.
   */
  send(packet: Packet, destinations?: readonly string[]): Promise<void>;
  /** Leaves. Idempotent; resolves when what was sent before has been handed on, and nothing of the transport is left behind. */
  close(): Promise<void>;
}
