// Options of streams, and their checks. All checks are made before anything is sent.
import { StreamError } from "../errors.ts";
import { CONTROL_STREAM_ID, OWN_ATTRIBUTE } from "./constants.ts";
import { assertKnownNames } from "./option_names.ts";
import type { Progress } from "./progress.ts";
import { isSchema, SCHEMA_SHAPE, type StandardSchema } from "./schema.ts";
import { type Bytes, bytesOf, isAbortSignal, isBlob, isUrl } from "../common/realms.ts";
import { isCount, isRecord } from "../common/shapes.ts";

/** Options of every stream that is sent. */
export interface StreamOptions {
  /** Topic that handlers are registered for. Default "". */
  topic?: string;
  /** Key-value pairs of your own; the key "millrace" is taken. */
  attributes?: Record<string, string>;
  /** Default: an unguessable one. One that is open already: "duplicate-stream". */
  streamId?: string;
  /** Bytes in all, if known: writing more, or closing with less, is an error. */
  totalSize?: number;
  /** Identities of the receivers; no other participant gets a packet. Default: everybody. An empty list: "invalid-argument". */
  destinationIdentities?: readonly string[];
  /** Identity that handlers are told of the sender, where the transport allows it. */
  senderIdentity?: string;
  /** Aborts the stream: "aborted", with the signal's reason as cause. */
  signal?: AbortSignal;
  /** Called at most once each 50 ms, and at the end. */
  onProgress?: (progress: Progress) => void;
  /** Await the receipt of each Millrace receiver. Default: true for `sendFile` and `sendBytes`, else false. */
  confirm?: boolean;
  /** Default: where packets queue, unless the MIME type is of packed content; each part is then decided by a sample. */
  compress?: boolean;
}

/** Options of a text stream. */
export interface TextStreamOptions extends StreamOptions {
  /** Id of the stream that this one replies to. */
  replyToId?: string;
  /** Ids of streams that belong to this one. */
  attachedStreamIds?: readonly string[];
}

/** Options of `sendText`. */
export interface SendTextOptions extends TextStreamOptions {
  /** Files to send after the text, on the same topic, with the defaults of `sendFile`; their stream ids are in the info. */
  attachments?: readonly (string | URL | File)[];
}

/** Options of a record stream. */
export interface RecordStreamOptions<S extends StandardSchema = StandardSchema> extends TextStreamOptions {
  /** Schema that each value must match before it is sent. */
  schema?: S;
  /** Name of the records' form, for their readers: the attribute `format`. */
  format?: string;
}

/** Options of a byte stream. */
export interface ByteStreamOptions extends StreamOptions {
  /** File name for the receiver. Default "". */
  name?: string;
  /** Default "application/octet-stream". */
  mimeType?: string;
  /**
   * Send each write at once, and before files and other long streams, as texts go: for speech and other bytes that are due now. Such bytes
   * are not compressed. Default false.
   */
  urgent?: boolean;
}

/** Options of `sendBytes`. */
export type SendBytesOptions = ByteStreamOptions;

/** Options of `sendFile`: by default `name` is the file's own, `mimeType` follows from it, and `totalSize` is the file's size. */
export type SendFileOptions = ByteStreamOptions;

/** Reason and attributes that `close` of a writer sends at the end. */
export interface CloseOptions {
  /** Reason in `closed` of Millrace readers; other SDKs take a stream with a reason for a failed one. */
  reason?: string;
  /** Attributes that were not known before, in the trailer. */
  attributes?: Record<string, string>;
}

/** Check of an option, and the shape that it asks for. */
export type Check = readonly [test: (value: unknown) => boolean, shape: string];

const TEXT: Check = [(value) => typeof value === "string", "a string"];
const FLAG: Check = [(value) => typeof value === "boolean", "true or false"];
const CALLBACK: Check = [(value) => typeof value === "function", "a function"];
const SIGNAL: Check = [isAbortSignal, "an AbortSignal"];
const IDENTITY: Check = [isName, "a non-empty string"];

const ATTRIBUTES: Check = [isAttributes, `an object of strings without the keys "${OWN_ATTRIBUTE}" and "__proto__"`];

const STREAM_CHECKS: Readonly<Record<keyof StreamOptions, Check>> = {
  topic: TEXT,
  attributes: ATTRIBUTES,
  streamId: [isStreamId, `a non-empty string other than "${CONTROL_STREAM_ID}"`],
  totalSize: [isCount, "a count of bytes"],
  destinationIdentities: [isIdentities, "a list of one identity or more"],
  senderIdentity: IDENTITY,
  signal: SIGNAL,
  onProgress: CALLBACK,
  confirm: FLAG,
  compress: FLAG,
};

const TEXT_CHECKS: Readonly<Record<keyof TextStreamOptions, Check>> = {
  ...STREAM_CHECKS,
  replyToId: TEXT,
  attachedStreamIds: [isNames, "a list of stream ids"],
};

const SEND_TEXT_CHECKS: Readonly<Record<keyof SendTextOptions, Check>> = {
  ...TEXT_CHECKS,
  attachments: [isAttachments, "a list of paths, file URLs and Files"],
};

const RECORD_CHECKS: Readonly<Record<keyof RecordStreamOptions, Check>> = {
  ...TEXT_CHECKS,
  schema: [isSchema, SCHEMA_SHAPE],
  format: TEXT,
};

const BYTES_CHECKS: Readonly<Record<keyof ByteStreamOptions, Check>> = {
  ...STREAM_CHECKS,
  name: TEXT,
  mimeType: TEXT,
  urgent: FLAG,
};

const CLOSE_CHECKS: Readonly<Record<keyof CloseOptions, Check>> = {
  reason: TEXT,
  attributes: ATTRIBUTES,
};

const READ_CHECKS: Readonly<Record<string, Check>> = { signal: SIGNAL };

const SAVE_CHECKS: Readonly<Record<string, Check>> = { signal: SIGNAL, overwrite: FLAG, onProgress: CALLBACK };

/** Throws "invalid-argument" unless the value holds options of a text stream. */
export function assertTextOptions(options: TextStreamOptions): void {
  assertOptions(options, TEXT_CHECKS, "send the text");
}

/** Throws "invalid-argument" unless the value holds options of `sendText`. */
export function assertSendTextOptions(options: SendTextOptions): void {
  assertOptions(options, SEND_TEXT_CHECKS, "send the text");
}

/** Throws "invalid-argument" unless the value holds options of a record stream. */
export function assertRecordOptions(options: RecordStreamOptions): void {
  assertOptions(options, RECORD_CHECKS, "send the records");
}

/** Throws "invalid-argument" unless the value holds options of a byte stream. */
export function assertByteOptions(options: ByteStreamOptions): void {
  assertOptions(options, BYTES_CHECKS, "send the bytes");
}

/** Throws "invalid-argument" unless the value holds options of a writer's `close`. */
export function assertCloseOptions(options: CloseOptions): void {
  assertOptions(options, CLOSE_CHECKS, "close the stream");
}

/** Throws "invalid-argument" unless the value holds options of a reader's `readAll`. */
export function assertReadOptions(options: { signal?: AbortSignal }): void {
  assertOptions(options, READ_CHECKS, "read the stream");
}

/** Options of `saveTo`. */
export interface SaveOptions {
  /** Replace a file that exists. Default false. */
  overwrite?: boolean;
  /** Cancels the stream and removes the part file, once the file system responds. */
  signal?: AbortSignal;
  /** Called at most once each 50 ms, and at the end. */
  onProgress?: (progress: Progress) => void;
}

/** Throws "invalid-argument" unless the value holds options of a reader's `saveTo`. */
export function assertSaveOptions(options: object): void {
  assertOptions(options, SAVE_CHECKS, "save the stream");
}

/**
 * Throws "invalid-argument" unless the value holds options with these checks, or with those of streams by name. The `required` ones must be
 * there.
 */
export function assertNamedOptions(
  options: unknown,
  checks: Readonly<Record<string, Check>>,
  names: readonly (keyof StreamOptions)[],
  action: string,
  required: readonly string[] = [],
): void {
  const all = { ...checks, ...Object.fromEntries(names.map((name) => [name, STREAM_CHECKS[name]])) };
  assertOptions(options, all, action, required);
}

function assertOptions(
  options: unknown,
  checks: Readonly<Record<string, Check>>,
  action: string,
  required: readonly string[] = [],
): void {
  if (!isRecord(options)) {
    throw new StreamError("invalid-argument", `Cannot ${action} as the options must be an object: got ${show(options)}`);
  }
  assertKnownNames(options, checks, `Cannot ${action}`);
  for (const name in checks) {
    const value = options[name];
    const [test, shape] = checks[name] as Check;
    if (value === undefined ? !required.includes(name) : test(value)) continue;
    throw new StreamError("invalid-argument", `Cannot ${action} as "${name}" must be ${shape}: got ${show(value)}`);
  }
}

/** Throws "invalid-argument" unless the value is a string. */
export function assertText(value: unknown, action: string): asserts value is string {
  if (typeof value === "string") return;
  throw new StreamError("invalid-argument", `Cannot ${action} as it must be a string: got ${show(value)}`);
}

/** Throws "invalid-argument" unless the value is a string, of a text that is sent at once or in parts. */
export function assertTextSource(value: unknown): asserts value is string {
  if (typeof value === "string") return;
  throw new StreamError(
    "invalid-argument",
    `Cannot send the text as it must be a string, or a ReadableStream or AsyncIterable of strings: got ${show(value)}`,
  );
}

/** The bytes of a view or of memory, not copied. Throws "invalid-argument" for other values and for transferred memory. */
export function givenBytes(value: Bytes, action: string): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes !== undefined) return bytes;
  throw new StreamError(
    "invalid-argument",
    `Cannot ${action} as they must be a Uint8Array, another view or an ArrayBuffer that was not transferred: got ${show(value)}`,
  );
}

/** Describes a value for an error message, in at most 80 characters. */
export function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? shape(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function shape(value: object | null): string {
  if (value === null) return "null";
  return Array.isArray(value) ? `an array of ${value.length}` : `an object of class ${value.constructor?.name ?? "none"}`;
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isStreamId(value: unknown): boolean {
  return isName(value) && value !== CONTROL_STREAM_ID;
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every(isName);
}

function isIdentities(value: unknown): boolean {
  return isNames(value) && (value as string[]).length > 0;
}

/**
 * Whether all attributes reach the receivers. A Map has no properties to carry. LiveKit's SDKs assign key by key, and so lose
 * "__proto__".
 */
function isAttributes(value: unknown): boolean {
  if (!isRecord(value) || Object.prototype.toString.call(value) !== "[object Object]") return false;
  return Object.values(value).every((item) => typeof item === "string") &&
    !Object.hasOwn(value, OWN_ATTRIBUTE) && !Object.hasOwn(value, "__proto__");
}

function isAttachments(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => isName(item) || isUrl(item) || isBlob(item));
}
