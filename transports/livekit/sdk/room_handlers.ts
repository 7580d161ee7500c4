// Streams of Millrace runtimes on topics that a program handles on its Room and not on its runtime, as readers like those of the SDK.
import type { OfferedStream, TransportHandler } from "../../transport.ts";

/** Handler that is registered on a Room. */
export type RoomHandler = (reader: RoomReader<string> | RoomReader<Uint8Array>, sender: { identity: string }) => unknown;

/** A Room's handlers, by topic. */
export type RoomHandlers = Map<string, RoomHandler>;

/** Stream info as the SDK describes it. */
interface RoomStreamInfo {
  readonly streamId: string;
  readonly mimeType: string;
  readonly topic: string;
  readonly timestamp: number;
  readonly totalSize: number | undefined;
  readonly attributes: Record<string, string>;
  readonly name?: string;
}

/** Reader with the members of the SDK's readers. */
abstract class RoomReader<T extends string | Uint8Array> implements AsyncIterable<T> {
  readonly info: RoomStreamInfo;
  /** Callback for the share that has been read, from 0 to 1; undefined if the size is unknown. */
  onProgress?: (progress: number | undefined) => void;
  readonly #stream: OfferedStream;
  #bytes = 0;

  constructor(stream: OfferedStream) {
    const { streamId, mimeType, topic, timestamp, size, attributes, name } = stream.info;
    const common = { streamId, mimeType, topic, timestamp, totalSize: size, attributes: { ...attributes } };
    this.info = name === undefined ? common : { ...common, name };
    this.#stream = stream;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const { totalSize } = this.info;
    for await (const part of this.#stream) {
      this.#bytes += this.bytesOf(part as T);
      this.onProgress?.(totalSize === undefined || totalSize === 0 ? undefined : this.#bytes / totalSize);
      yield part as T;
    }
  }

  abstract readAll(): Promise<string | Uint8Array[]>;

  async close(): Promise<void> {
    await this.#stream.cancel();
  }

  protected abstract bytesOf(part: T): number;

  protected async parts(): Promise<T[]> {
    const parts: T[] = [];
    for await (const part of this) parts.push(part);
    return parts;
  }
}

const utf8 = new TextEncoder();

class RoomTextReader extends RoomReader<string> {
  override async readAll(): Promise<string> {
    return (await this.parts()).join("");
  }

  protected override bytesOf(part: string): number {
    return utf8.encode(part).byteLength;
  }
}

class RoomByteReader extends RoomReader<Uint8Array> {
  override async readAll(): Promise<Uint8Array[]> {
    return await this.parts();
  }

  protected override bytesOf(part: Uint8Array): number {
    return part.byteLength;
  }
}

/** Adapts a Room's handler to a runtime's streams. */
export function adaptHandler(kind: "text" | "bytes", handler: RoomHandler): TransportHandler {
  return async (stream, identity) => {
    await handler(kind === "text" ? new RoomTextReader(stream) : new RoomByteReader(stream), { identity });
  };
}

/** Calls `registered` for each new handler; returns a function that stops that. */
export function watchHandlers(handlers: RoomHandlers, registered: (topic: string) => void): () => void {
  Object.defineProperty(handlers, "set", {
    configurable: true,
    value(topic: string, handler: RoomHandler): RoomHandlers {
      Map.prototype.set.call(handlers, topic, handler);
      registered(topic);
      return handlers;
    },
  });
  return () => void Reflect.deleteProperty(handlers, "set");
}
