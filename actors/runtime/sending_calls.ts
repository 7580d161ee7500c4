// The runtime's sending calls.
import { StreamError } from "../../errors.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import {
  assertByteOptions,
  assertRecordOptions,
  assertSendTextOptions,
  assertTextOptions,
  assertTextSource,
  type ByteStreamOptions,
  givenBytes,
  type RecordStreamOptions,
  type SendBytesOptions,
  type SendFileOptions,
  type SendTextOptions,
  show,
  type TextStreamOptions,
} from "../../protocol/options.ts";
import { randomId } from "../../common/platform.ts";
import { type Bytes, bytesOf, isBlob, isFile, isUint8Array } from "../../common/realms.ts";
import { utf8Bytes } from "../../common/utf8.ts";
import { produceFile } from "../writers/file_producer.ts";
import type { FileToSend } from "../../protocol/files.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import type { OutgoingStreamManager } from "./outgoing_manager.ts";
import { bytesInfo, textInfo } from "./stream_infos.ts";
import {
  blobParts,
  type BytesInParts,
  type ByteSource,
  endSource,
  isInParts,
  isTextInParts,
  iterate,
  type TextInParts,
  type TextSource,
} from "../writers/sources.ts";
import { sourceFailure, writeSource } from "../writers/write_source.ts";
import { createRecordWriter, type RecordStreamWriter } from "../records/writer.ts";
import { isShort, measureText, produceText } from "../writers/text_producer.ts";
import { type ByteStreamWriter, createByteWriter, createTextWriter, type TextStreamWriter } from "../writers/writer.ts";

/** File that a text is sent with. */
interface Attachment {
  readonly streamId: string;
  readonly from: string | URL | File;
}

export async function openText(sending: OutgoingStreamManager, options: TextStreamOptions): Promise<TextStreamWriter> {
  assertTextOptions(options);
  const info = textInfo(options, options.totalSize, options.attachedStreamIds ?? []);
  const stream = await sending.start({
    description: { kind: "text", info },
    options,
    incremental: true,
    confirm: options.confirm ?? false,
  });
  await stream.opened;
  return createTextWriter(stream);
}

export async function openRecords(
  sending: OutgoingStreamManager,
  options: RecordStreamOptions,
): Promise<RecordStreamWriter<never>> {
  assertRecordOptions(options);
  const { schema, format, ...rest } = options;
  const attributes = format === undefined ? {} : { attributes: { ...rest.attributes, format } };
  return createRecordWriter(await openText(sending, { ...rest, ...attributes }), schema);
}

export async function openBytes(sending: OutgoingStreamManager, options: ByteStreamOptions): Promise<ByteStreamWriter> {
  assertByteOptions(options);
  const stream = await startBytes(sending, options, options.totalSize, { finite: false });
  await stream.opened;
  return createByteWriter(stream);
}

export async function sendText(
  sending: OutgoingStreamManager,
  text: TextSource,
  options: SendTextOptions,
): Promise<TextStreamInfo> {
  if (isTextInParts(text)) return await sendTextParts(sending, text, options);
  assertTextSource(text);
  assertSendTextOptions(options);
  const size = isShort(text) ? utf8Bytes(text) : await measureText(text);
  assertSize(options.totalSize, size, "text");
  const { stream, attachments } = await startText(sending, options, size, { incremental: false });
  await finish(stream, () => produceText(stream, text, size));
  await sendAttachments(sending, attachments, options);
  return stream.spec.description.info as TextStreamInfo;
}

/** Sends the parts of a text as they come. */
async function sendTextParts(
  sending: OutgoingStreamManager,
  parts: TextInParts,
  options: SendTextOptions,
): Promise<TextStreamInfo> {
  assertSendTextOptions(options);
  const values = iterate(parts, "send the text");
  const { stream, attachments } = await unlessFailed(
    values,
    startText(sending, options, options.totalSize, { incremental: true }),
  );
  const writer = createTextWriter(stream);
  await writeSource(stream, writer, values);
  await sendAttachments(sending, attachments, options);
  return writer.info;
}

/** Starts the stream of a text, when its attachments are known to exist. */
async function startText(
  sending: OutgoingStreamManager,
  options: SendTextOptions,
  size: number | undefined,
  { incremental }: { incremental: boolean },
): Promise<{ stream: OutgoingStream; attachments: readonly Attachment[] }> {
  const attachments = await Promise.all(
    (options.attachments ?? []).map((from) => prepareAttachment(sending, from, options.signal)),
  );
  const info = textInfo(options, size, [...options.attachedStreamIds ?? [], ...attachments.map(({ streamId }) => streamId)]);
  const stream = await sending.start({
    description: { kind: "text", info },
    options,
    incremental,
    availableUpFront: !incremental,
    confirm: options.confirm ?? false,
  });
  return { stream, attachments };
}

/** Sends the files of a text, one after the other, with the text's topic and receivers. */
async function sendAttachments(
  sending: OutgoingStreamManager,
  attachments: readonly Attachment[],
  { topic, destinationIdentities, senderIdentity, signal }: SendTextOptions,
): Promise<void> {
  const shared = definedOnly({ topic, destinationIdentities, senderIdentity, signal });
  for (const { streamId, from } of attachments) {
    if (isBlob(from)) await sendBytes(sending, from, { ...shared, ...describeFile(sending, from), streamId });
    else await sendFile(sending, from, { ...shared, streamId });
  }
}

export async function sendBytes(
  sending: OutgoingStreamManager,
  source: ByteSource,
  options: SendBytesOptions,
): Promise<ByteStreamInfo> {
  assertByteOptions(options);
  const bytes = bytesOf(source);
  if (bytes !== undefined) return await sendFinite(sending, bytes, bytes.length, options);
  if (isBlob(source)) {
    return await sendFinite(sending, blobParts(source), source.size, {
      ...describeFile(sending, source),
      ...definedOnly(options),
    });
  }
  if (Array.isArray(source)) return await sendParts(sending, source, options);
  if (isInParts(source)) return await sendIterable(sending, source, options.totalSize, options);
  throw new StreamError(
    "invalid-argument",
    `Cannot send the bytes as they must be a Uint8Array, ArrayBuffer, Blob, ReadableStream or AsyncIterable: got ${show(source)}`,
  );
}

/** Sends an array of parts, which are all checked before anything is sent. */
async function sendParts(
  sending: OutgoingStreamManager,
  parts: readonly unknown[],
  options: SendBytesOptions,
): Promise<ByteStreamInfo> {
  const all = parts.map((part, index) => givenBytes(part as Bytes, `send part ${index} of the bytes`));
  return await sendFinite(sending, all, all.reduce((sum, { length }) => sum + length, 0), options);
}

export async function sendFile(
  sending: OutgoingStreamManager,
  given: FileToSend,
  options: SendFileOptions,
): Promise<ByteStreamInfo> {
  assertByteOptions(options);
  const streamId = options.streamId ?? randomId();
  const file = await sending.beforehand(() => sending.files.openSource(given), options.signal, streamId);
  if (file.size !== undefined) assertSize(options.totalSize, file.size, "file");
  const described = {
    ...options,
    streamId,
    name: options.name ?? file.name,
    mimeType: options.mimeType ?? sending.files.mimeTypeOf(options.name ?? file.name),
  };
  const { size } = file;
  if (size === undefined) return await sendIterable(sending, file.contents(), options.totalSize, described);
  const stream = await startBytes(sending, described, size, { finite: true });
  await finish(stream, () => produceFile(stream, file.ref, size));
  return stream.spec.description.info as ByteStreamInfo;
}

async function sendFinite(
  sending: OutgoingStreamManager,
  source: Uint8Array | BytesInParts,
  size: number,
  options: SendBytesOptions,
): Promise<ByteStreamInfo> {
  assertSize(options.totalSize, size, "data");
  return await sendIterable(sending, source, size, options);
}

async function sendIterable(
  sending: OutgoingStreamManager,
  source: Uint8Array | BytesInParts,
  size: number | undefined,
  options: SendBytesOptions,
): Promise<ByteStreamInfo> {
  const values = isUint8Array(source) ? undefined : iterate(source, "send the bytes");
  const stream = await unlessFailed(
    values,
    startBytes(sending, options, size, { finite: true, availableUpFront: values === undefined }),
  );
  const writer = createByteWriter(stream);
  if (values !== undefined) await writeSource(stream, writer, values);
  else if (isUint8Array(source)) {
    try {
      await writer.write(source);
    } catch (error) {
      await writer.abort();
      throw sourceFailure(stream, error);
    }
    await writer.close();
  }
  return writer.info;
}

/** Waits for a stream's start. Ends the stream's source if that fails. */
async function unlessFailed<T>(values: AsyncIterator<unknown, unknown> | undefined, started: Promise<T>): Promise<T> {
  try {
    return await started;
  } catch (error) {
    endSource(values);
    throw error;
  }
}

function startBytes(
  sending: OutgoingStreamManager,
  options: ByteStreamOptions,
  size: number | undefined,
  { finite, availableUpFront = false }: { finite: boolean; availableUpFront?: boolean },
): Promise<OutgoingStream> {
  const { urgent = false } = options;
  return sending.start({
    description: { kind: "bytes", info: bytesInfo(options, size) },
    options,
    incremental: urgent,
    urgent,
    availableUpFront,
    confirm: options.confirm ?? finite,
  });
}

/** Produces a whole stream, ends it and waits until it has settled. */
async function finish(stream: OutgoingStream, produce: () => Promise<void>): Promise<void> {
  try {
    stream.actor.send({ type: "bytes.written" });
    await produce();
    stream.actor.send({ type: "close.requested" });
    stream.queue.end({});
  } catch (error) {
    if (stream.error === undefined) stream.actor.send({ type: "abort.requested", error: sourceFailure(stream, error) });
  }
  await stream.settled;
}

function assertSize(totalSize: number | undefined, size: number, what: string): void {
  if (totalSize === undefined || totalSize === size) return;
  const [code, how] = size > totalSize ? ["too-large", "more"] as const : ["incomplete", "less"] as const;
  throw new StreamError(code, `Cannot send the ${what} as its ${size} bytes are ${how} than the "totalSize" of ${totalSize}`);
}

/** Checks that an attachment can be opened, before anything is sent. */
async function prepareAttachment(
  sending: OutgoingStreamManager,
  from: string | URL | File,
  signal: AbortSignal | undefined,
): Promise<Attachment> {
  const streamId = randomId();
  if (!isBlob(from)) await sending.beforehand(() => sending.files.openSource(from), signal, streamId);
  return { streamId, from };
}

function describeFile({ files }: OutgoingStreamManager, blob: Blob): { name?: string; mimeType?: string } {
  const name = isFile(blob) ? blob.name : undefined;
  const mimeType = blob.type !== "" ? blob.type : name === undefined ? undefined : files.mimeTypeOf(name);
  return definedOnly({ name, mimeType });
}

/** Removes undefined fields, as the compiler distinguishes absent options from undefined ones. */
function definedOnly<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
