import type { StreamHeader, TrailerPacket } from "../../../protocol/wire/packets.ts";

/** Events of a room from the SDK, in the order in which they happened. */
export interface SdkEvents {
  /**
   * A participant joined; `sid` is the server's name for its present connection. The event may be seconds late, and may name a participant
   * that is known already.
   */
  joined(identity: string, sid: string): void;
  /** A participant left. */
  left(identity: string): void;
  /** The connection is lost; the Room tries to resume it, then to make a new one. */
  lost(): void;
  /** The connection is back. `isNew` is true of another one than before: the server told the others that this participant had left. */
  reconnected(isNew: boolean): void;
  /** This participant got a new sid without having been told that its connection is new. */
  renewed(): void;
  /** A stream's header came. */
  header(header: StreamHeader, from: string): void;
  /** A stream's chunk came. */
  chunk(streamId: string, index: number, content: Uint8Array, from: string): void;
  /** A stream's trailer came. */
  trailer(trailer: TrailerPacket, from: string): void;
  /**
   * The SDK made a reader for a stream; the result says who reads the stream. `handled` is true if the Room has a handler for the stream's
   * topic.
   */
  opened(header: StreamHeader, from: string, reader: SdkReader, handled: boolean): ReadPlace;
  /** The program registered a handler on the Room. */
  registered(kind: "text" | "bytes", topic: string): void;
  /** This participant's permission to publish data changed. */
  permitted(mayPublish: boolean): void;
  /** Another participant's permission to publish data changed. */
  othersPermitted(identity: string, mayPublish: boolean): void;
  /** The room has ended. */
  disconnected(reason: string): void;
}

/** Place where the SDK's reader of a stream is read: by the transport ("here"), by the Room ("room"), or by nobody ("nowhere"). */
export type ReadPlace = "here" | "room" | "nowhere";

/** The SDK's reader of a stream. The SDK decodes contents that newer SDKs compress or put into the header. */
export interface SdkReader {
  /** Starts the reader; called once. Text is given as UTF-8 bytes. */
  read(events: ReaderEvents): void;
  /** Stops the calls of {@linkcode ReaderEvents}. */
  stop(): void;
}

/** Events of the SDK's reader of one stream. */
export interface ReaderEvents {
  /** Some content was decoded. */
  chunk(content: Uint8Array): void;
  /**
   * The reader ended; `error` says why a stream ended early. `attributes` are the header's, overwritten by the trailer's. A reader may end
   * without an error when the connection ends.
   */
  end(attributes: Readonly<Record<string, string>>, error: string | undefined): void;
}
