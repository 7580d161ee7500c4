import type { Clock } from "../../common/clock.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { PartFile } from "../../files/create_part_file.ts";
import type { FileSource } from "../../files/source.ts";
import type { Codec } from "../../workers/codec.ts";
import type { PacketScheduler } from "./packet_scheduler.ts";

/** File system calls that streams use; see `files/`. */
export interface FileAccess {
  openSource(path: string | URL): Promise<FileSource>;
  mimeTypeOf(name: string): string;
  createPartFile(
    target: string | URL,
    options: { name: string; mimeType: string; overwrite: boolean; nameBytes: number },
  ): Promise<PartFile>;
}

/** Environment of a stream: its runtime's limits, clock, codec and files. */
export interface StreamContext {
  readonly clock: Required<Clock>;
  readonly limits: Limits;
  readonly codec: Codec;
  readonly files: FileAccess;
  /** Bytes a chunk of a stream that goes out holds. */
  readonly chunkSize: number;
  /** Bytes that it may hold where the way is fast, if its receivers understand. */
  readonly largestChunk: number;
  /** Sends packets, each in its turn. */
  readonly scheduler: PacketScheduler;
  /** Saves under way: the runtime does not close before what they leave is cleared away. */
  readonly saves: Set<Promise<unknown>>;
  /** Hands an error that nobody awaits to the user. */
  report(error: unknown, about: { streamId?: string; topic?: string; identity?: string }): void;
}
