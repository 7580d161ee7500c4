// Packets between participants. The first three are LiveKit data streams v1, field by field; the fourth is Millrace's own.

/** Opens a stream. */
export interface HeaderPacket {
  /** Which packet it is. */
  readonly type: "header";
  /** Description of the stream. */
  readonly header: StreamHeader;
}

/** A stream's bytes, in order of `index`, which counts from 0. */
export interface ChunkPacket {
  /** Which packet it is. */
  readonly type: "chunk";
  /** The stream it belongs to, of those of its sender. */
  readonly streamId: string;
  /** Its place in the stream: 0, 1, 2 … */
  readonly index: number;
  /** At most 60,000 bytes; by contract of `Transport.send` the receiver copies what it wants to keep. */
  readonly content: Uint8Array;
}

/** Ends a stream. A reason that is not empty is an abnormal end for most SDKs. */
export interface TrailerPacket {
  /** Which packet it is. */
  readonly type: "trailer";
  /** The stream it ends, of those of its sender. */
  readonly streamId: string;
  /** Why it ended; "" if it is whole. */
  readonly reason: string;
  /** Key-value pairs that were not known when the stream was opened. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Control message of Millrace runtimes: hello, goodbye, the state of streams. Opaque to a transport; at most 15,000 bytes. */
export interface ControlPacket {
  /** Which packet it is. */
  readonly type: "control";
  /** One message, packed: see PROTOCOL.md. */
  readonly payload: Uint8Array;
}

/** Anything a transport carries. */
export type Packet = HeaderPacket | ChunkPacket | TrailerPacket | ControlPacket;

/** The header of a stream, as on the wire. */
export interface StreamHeader {
  /** Unique among its sender's open streams. */
  readonly streamId: string;
  /** Unix time in milliseconds. */
  readonly timestamp: number;
  /** Topic that handlers are registered for. */
  readonly topic: string;
  /** MIME type of the bytes, such as "text/plain". */
  readonly mimeType: string;
  /** Bytes, if known. */
  readonly totalSize?: number;
  /** Key-value pairs, the sender's own and "millrace". */
  readonly attributes: Readonly<Record<string, string>>;
  /** Identity that handlers are told of the sender; limits and checks never use it. */
  readonly senderIdentity?: string;
  /** Fields of text only, or of bytes only. */
  readonly content: TextContent | BytesContent;
}

/** Fields of a header of text. */
export interface TextContent {
  /** The stream is text, in UTF-8. */
  readonly kind: "text";
  /** Id of the stream it replies to. */
  readonly replyToId?: string;
  /** Ids of streams that belong to it. */
  readonly attachedStreamIds: readonly string[];
}

/** Fields of a header of bytes. */
export interface BytesContent {
  /** The stream is bytes. */
  readonly kind: "bytes";
  /** A file's name, or "". */
  readonly name: string;
}
