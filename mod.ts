/**
 * LiveKit data streams as actors: text, bytes and files between participants, chunked in worker threads.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 *
 * const heard = new Promise<string>((resolve) => {
 *   bob.registerTextStreamHandler("chat", async (reader) => resolve(await reader.readAll()));
 * });
 * await alice.sendText("Hello, Bob", { topic: "chat" });
 * if (await heard !== "Hello, Bob") throw new Error("Bob heard something else");
 * await alice.close();
 * await bob.close();
 * ```
 *
 * @module
 */
import type { Runtime } from "./actors/runtime/runtime.ts";
import { startRuntime } from "./actors/runtime/millrace_runtime.ts";
import { assertRuntimeOptions, type RuntimeOptions } from "./actors/runtime/options.ts";
import { mimeTypeOf } from "./files/mime.ts";
import { createPartFile } from "./files/create_part_file.ts";
import { openSource } from "./files/source.ts";
import { createInlineCodec } from "./workers/jobs/inline_codec.ts";
import { sharedCodecPool } from "./workers/pool/shared.ts";

/**
 * Starts a runtime on a transport.
 *
 * Rejects with a StreamError "invalid-argument" for wrong options.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice"), limits: { idleTimeout: 10_000 } });
 * await alice.close();
 * ```
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  await Promise.resolve(); // wrong options are a rejection, as every other failure
  assertRuntimeOptions(options);
  const codec = options.pool === false ? createInlineCodec() : options.pool ?? sharedCodecPool();
  return startRuntime(options, { codec, files: { openSource, mimeTypeOf, createPartFile } });
}

export type { Runtime } from "./actors/runtime/runtime.ts";
export type { ErrorContext, RuntimeOptions } from "./actors/runtime/options.ts";
export type { ByteSource } from "./actors/runtime/sources.ts";
export type { ByteStreamHandler, HandlerOptions, StreamSender, TextStreamHandler } from "./actors/runtime/handlers.ts";
export type { ByteStreamReader, StreamReader, TextStreamReader } from "./actors/readers/reader.ts";
export type { ByteStreamWriter, StreamWriter, TextStreamWriter } from "./actors/writers/writer.ts";
export { StreamError, type StreamErrorCode, type StreamErrorOptions } from "./errors.ts";
export type { Clock } from "./common/clock.ts";
export { STREAM_CHUNK_SIZE } from "./protocol/constants.ts";
export type { BaseStreamInfo, ByteStreamInfo, Receipt, TextStreamInfo } from "./protocol/info.ts";
export { DEFAULT_LIMITS, type Limits } from "./protocol/limits.ts";
export type {
  ByteStreamOptions,
  CloseOptions,
  SaveOptions,
  SendBytesOptions,
  SendFileOptions,
  SendTextOptions,
  StreamOptions,
  TextStreamOptions,
} from "./protocol/options.ts";
export type {
  BytesContent,
  ChunkPacket,
  ControlPacket,
  HeaderPacket,
  Packet,
  StreamHeader,
  TextContent,
  TrailerPacket,
} from "./protocol/wire/packets.ts";
export { type Progress, ProgressTracker } from "./protocol/progress.ts";
export type { FaultyLink, LinkLine, LinkOptions, ReliableLink } from "./transports/hub/link_options.ts";
export type { Hub, HubOptions, JoinOptions, PairOptions } from "./transports/hub/options.ts";
export { createHub } from "./transports/hub/hub.ts";
export type { OfferedStream, Transport, TransportEvents, TransportHandler } from "./transports/transport.ts";
export type { CodecPool, CodecPoolOptions, CodecPoolStats } from "./workers/pool/options.ts";
export { createCodecPool } from "./workers/pool/pool.ts";
