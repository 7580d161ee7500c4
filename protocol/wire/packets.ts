// Packets between participants. Header, chunk and trailer are LiveKit data streams v1, field by field; control is Millrace's own.

/** Opens a stream. */
export interface HeaderPacket {
  /** Kind of the packet. */
  readonly type: "header";
  /** Description of the stream. */
  readonly header: StreamHeader;
}

/** A stream's bytes, in order of `index`, which counts from 0. */
export interface ChunkPacket {
  /** Kind of the packet. */
  readonly type: "chunk";
  /** Id of the stream, unique for its sender. */
  readonly streamId: string;
  /** Number of the chunk in the stream: 0, 1, 2 … */
  readonly index: number;
  /** At most 60,000 bytes, valid only during the call: a receiver copies what it keeps (`Transport.send`). */
  readonly content: Uint8Array;
}

/** Ends a stream. A reason that is not empty is an abnormal end for most SDKs. */
export interface TrailerPacket {
  /** Kind of the packet. */
  readonly type: "trailer";
  /** Id of the stream, unique for its sender. */
  readonly streamId: string;
  /** Reason of the end; "" for a whole stream. */
  readonly reason: string;
  /** Key-value pairs in addition to the header's. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Control message of Millrace runtimes: hello, goodbye, states of streams. Opaque to a transport; at most 15,000 bytes. */
export interface ControlPacket {
  /** Kind of the packet. */
  readonly type: "control";
  /** One message in msgpack: see PROTOCOL.md. */
  readonly payload: Uint8Array;
}

/** Packet of any kind. */
export type Packet = HeaderPacket | ChunkPacket | TrailerPacket | ControlPacket;

/** Header of a stream, as on the wire. */
export interface StreamHeader {
  /** Unique among its sender's open streams. */
  readonly streamId: string;
  /** Unix time in milliseconds. */
  readonly timestamp: number;
  /** Topic that handlers are registered for. */
  readonly topic: string;
  /** MIME type of the bytes, such as "text/plain". */
  readonly mimeType: string;
  /** Size of the stream in bytes, if known. */
  readonly totalSize?: number;
  /** Key-value pairs: the user's, and "millrace". */
  readonly attributes: Readonly<Record<string, string>>;
  /** Sender's identity as handlers see it; limits and checks never use it. */
  readonly senderIdentity?: string;
  /** Fields of text only, or of bytes only. */
  readonly content: TextContent | BytesContent;
}

/** Fields of a header of text. */
export interface TextContent {
  /** The stream is text, in UTF-8. */
  readonly kind: "text";
  /** Id of the stream that this one replies to. */
  readonly replyToId?: string;
  /** Ids of streams that belong to this one. */
  readonly attachedStreamIds: readonly string[];
}

/** Fields of a header of bytes. */
export interface BytesContent {
  /** The stream is bytes. */
  readonly kind: "bytes";
  /** A file's name, or "". */
  readonly name: string;
}
