// What travels between participants. The first three are LiveKit data streams v1, field by field; the fourth is Millrace's own.

/** Opens a stream. */
export interface HeaderPacket {
  readonly type: "header";
  readonly header: StreamHeader;
}

/** A stream's bytes, in order of `index`, which counts from 0. */
export interface ChunkPacket {
  readonly type: "chunk";
  readonly streamId: string;
  readonly index: number;
  /** At most 60,000 bytes; by contract of `Transport.send` the receiver copies what it wants to keep. */
  readonly content: Uint8Array;
}

/** Ends a stream. A reason that is not empty is an abnormal end for most SDKs. */
export interface TrailerPacket {
  readonly type: "trailer";
  readonly streamId: string;
  readonly reason: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What Millrace runtimes tell each other: hello, goodbye, the state of streams. Opaque to a transport; at most 15,000 bytes. */
export interface ControlPacket {
  readonly type: "control";
  readonly payload: Uint8Array;
}

/** Anything a transport carries. */
export type Packet = HeaderPacket | ChunkPacket | TrailerPacket | ControlPacket;

/** The header of a stream, as on the wire. */
export interface StreamHeader {
  readonly streamId: string;
  /** Unix time in milliseconds. */
  readonly timestamp: number;
  readonly topic: string;
  readonly mimeType: string;
  /** Bytes, if known. */
  readonly totalSize?: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** What handlers are told of the sender; never what limits and checks go by. */
  readonly senderIdentity?: string;
  readonly content: TextContent | BytesContent;
}

/** What a header of text says beside. */
export interface TextContent {
  readonly kind: "text";
  readonly replyToId?: string;
  readonly attachedStreamIds: readonly string[];
}

/** What a header of bytes says beside. */
export interface BytesContent {
  readonly kind: "bytes";
  readonly name: string;
}
