// Exports that both entries have: `mod.ts`, and `browser.ts` of web pages.
export type { Runtime } from "./actors/runtime/runtime.ts";
export type { ErrorContext, RuntimeOptions } from "./actors/runtime/options.ts";
export type { ByteSource, TextSource } from "./actors/writers/sources.ts";
export type { ByteStreamHandler, HandlerOptions, StreamSender, TextStreamHandler } from "./actors/readers/handlers.ts";
export type { EndedStreamStats, PeerStats, RuntimeStats, StreamStats } from "./actors/stats/stats.ts";
export type {
  FlowWaitMessage,
  PeerMessage,
  StreamCloseMessage,
  StreamMessage,
  StreamNames,
  StreamOpenMessage,
  TraceMessage,
} from "./actors/stats/messages.ts";
export type { FlowWait, StreamWait } from "./actors/common/stream_wait.ts";
export type { ByteStreamReader, StreamReader, TextStreamReader } from "./actors/readers/reader.ts";
export type { ByteStreamWriter, StreamWriter, TextStreamWriter } from "./actors/writers/writer.ts";
export type { RecordHandlerOptions, RecordStreamHandler, RecordStreamReader } from "./actors/records/reader.ts";
export type { RecordStreamWriter } from "./actors/records/writer.ts";
export type { ReplyKind, RequestOptions } from "./actors/requests/options.ts";
export type { IncomingRequest, RequestHandler, RequestReply } from "./actors/requests/request.ts";
export { StreamError, type StreamErrorCode, type StreamErrorOptions } from "./errors.ts";
export type { Clock } from "./common/clock.ts";
export { STREAM_CHUNK_SIZE } from "./protocol/constants.ts";
export type { FileToSend, PageFileHandle, PageFileWriter, PageFolder, SaveTarget } from "./protocol/files.ts";
export type { BaseStreamInfo, ByteStreamInfo, Receipt, TextStreamInfo } from "./protocol/info.ts";
export { DEFAULT_LIMITS, type Limits } from "./protocol/limits.ts";
export type {
  ByteStreamOptions,
  CloseOptions,
  RecordStreamOptions,
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
export type { SchemaInput, SchemaIssue, SchemaOutput, SchemaResult, StandardSchema } from "./protocol/schema.ts";
export { type Progress, ProgressTracker } from "./protocol/progress.ts";
export type { FaultyLink, LinkLine, LinkOptions, ReliableLink } from "./transports/hub/link_options.ts";
export type { Hub, HubOptions, JoinOptions, PairOptions } from "./transports/hub/options.ts";
export { createHub } from "./transports/hub/hub.ts";
export type { OfferedStream, Transport, TransportEvents, TransportHandler } from "./transports/transport.ts";
export type { CodecPool, CodecPoolOptions, CodecPoolStats } from "./workers/pool/options.ts";
