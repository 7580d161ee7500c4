import type { Clock } from "../protocol/clock.ts";
import type { Limits } from "../protocol/limits.ts";
import type { Packet } from "../protocol/packets.ts";
import type { Codec } from "../workers/codec.ts";

/** What a stream may use of its runtime. */
export interface StreamContext {
  readonly clock: Required<Clock>;
  readonly limits: Limits;
  readonly codec: Codec;
  /** Bytes a chunk of a stream that goes out holds. */
  readonly chunkSize: number;
  /** Sends a packet; see `Transport.send`. The place where bulk will wait for its turn. */
  send(packet: Packet, destinations: readonly string[] | undefined): Promise<void>;
  /** Hands an error that nobody awaits to the user. */
  report(error: unknown, about: { streamId?: string; topic?: string; identity?: string }): void;
}
