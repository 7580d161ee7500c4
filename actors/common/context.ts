import type { Clock } from "../../common/clock.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { FileAccess } from "../../files/file_access.ts";
import type { Codec } from "../../workers/codec.ts";
import type { Deadlines } from "./deadlines.ts";
import type { PacketScheduler } from "./packet_scheduler.ts";

/** Environment of a stream: its runtime's limits, clock, codec and files. */
export interface StreamContext {
  readonly clock: Required<Clock>;
  /** Deadlines of the streams. */
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  readonly codec: Codec;
  readonly files: FileAccess;
  /** Bytes of an outgoing chunk. */
  readonly chunkSize: number;
  /** Bytes of a chunk on a fast line, if its receivers are Millrace runtimes. */
  readonly largestChunk: number;
  /** Decides the order of packets. */
  readonly scheduler: PacketScheduler;
  /** Running saves: the runtime waits for them when it closes. */
  readonly saves: Set<Promise<unknown>>;
  /** Reports an error that no call rejects with. */
  report(error: unknown, about: { streamId?: string; topic?: string; identity?: string }): void;
}
