// Extension of Millrace runtimes in the headers and trailers of streams: one attribute, in JSON.
import { OWN_ATTRIBUTE } from "../constants.ts";
import { isCount, isInstance, isRecord, isStringArray, isStringRecord } from "../../common/shapes.ts";

/** Version of the protocol between Millrace runtimes. */
export const PROTOCOL_VERSION = 1;

/** Content of the chunks: the stream's bytes, or frames that hold them. */
export type StreamFormat = "plain" | "framed";

/** Extension of a Millrace runtime in a header, beside LiveKit's fields. */
export interface HeaderExtension {
  /** Instance of the sender. */
  readonly instance: string;
  /** Number of the stream within the instance: a repeated header opens nothing. */
  readonly sequence: number;
  readonly format: StreamFormat;
  /** Whether the sender waits for a receipt. */
  readonly confirm: boolean;
  /** Whether the sender named the receivers: one without a handler is then an error. */
  readonly named?: boolean;
  /** Whether the sender's user asked for urgent chunks: then the stream is not bulk. */
  readonly urgent?: boolean;
  /** Topic, if the header's is {@linkcode OWN_TOPIC}. */
  readonly topic?: string;
  /** Content as text or base64, and its digest, of a stream that is whole in its header: see inline_content.ts. */
  readonly whole?: readonly [content: string, digest: string];
  /** Trace of the sending program, such as W3C's "traceparent". */
  readonly trace?: TraceCarrier;
}

/** Fields by which a trace goes on at another program, by name. */
export type TraceCarrier = Readonly<Record<string, string>>;

/** Most fields of a trace. */
const TRACE_FIELDS = 8;

/** Most UTF-16 units of the names and values of a trace. */
const TRACE_LENGTH = 1_024;

/** Whether a value is a trace that a header may carry. */
export function isTrace(value: unknown): value is TraceCarrier {
  if (!isStringRecord(value)) return false;
  const fields = Object.entries(value);
  const length = fields.reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  return fields.length > 0 && fields.length <= TRACE_FIELDS && length <= TRACE_LENGTH;
}

/** Encodes a header's extension as the value of {@linkcode OWN_ATTRIBUTE}. */
export function encodeExtension(
  { instance: i, sequence: n, format: f, confirm: c, named: d, urgent: u, topic: t, whole: x, trace: p }: HeaderExtension,
): string {
  return JSON.stringify({ v: PROTOCOL_VERSION, i, n, f, c, d, u, t, x, p });
}

/** Decodes a header's extension; undefined for a header of another SDK, null if the extension cannot be read. */
export function decodeExtension(text: string | undefined): HeaderExtension | undefined | null {
  if (text === undefined) return undefined;
  const own = parseJson(text);
  if (!isRecord(own)) return null;
  const { v, i, n, f, c, d, u, t, x, p } = own;
  if (v !== PROTOCOL_VERSION || !isInstance(i) || !isCount(n) || typeof c !== "boolean") return null;
  if ((f !== "plain" && f !== "framed") || (t !== undefined && typeof t !== "string")) return null;
  if (d !== undefined && typeof d !== "boolean") return null;
  if (u !== undefined && typeof u !== "boolean") return null;
  if (x !== undefined && (f !== "plain" || !isPair(x))) return null;
  return {
    instance: i,
    sequence: n,
    format: f,
    confirm: c,
    ...(d === undefined ? {} : { named: d }),
    ...(u === undefined ? {} : { urgent: u }),
    ...(t === undefined ? {} : { topic: t }),
    ...(x === undefined ? {} : { whole: x }),
    ...(isTrace(p) ? { trace: p } : {}), // otherwise ignored: a watcher of the sender must not break the stream
  };
}

function isPair(value: unknown): value is [string, string] {
  return isStringArray(value) && value.length === 2;
}

/** Extension of a Millrace runtime in a trailer. With `code` the stream failed, else it is whole. */
export interface TrailerExtension {
  /** Plain bytes that were sent. */
  readonly bytes: number;
  readonly chunks: number;
  /** Base64 of a sha256: of the bytes (plain), or of the frames' sha256s (framed). Empty with `code`. */
  readonly digest: string;
  readonly code?: string;
}

/** Adds the extension to a trailer's attributes. */
export function encodeTrailer(
  attributes: Readonly<Record<string, string>>,
  extension?: TrailerExtension,
): Record<string, string> {
  if (extension === undefined) return { ...attributes };
  const { bytes, chunks, digest, code } = extension;
  return { ...attributes, [OWN_ATTRIBUTE]: JSON.stringify({ b: bytes, k: chunks, d: digest, e: code }) };
}

/** Splits a trailer's attributes into the user's and the extension, which is undefined if absent or unreadable. */
export function decodeTrailer(
  attributes: unknown,
): { attributes: Record<string, string>; extension?: TrailerExtension } | undefined {
  if (!isStringRecord(attributes)) return undefined;
  const { [OWN_ATTRIBUTE]: text, ...visible } = attributes;
  const own = text === undefined ? undefined : parseJson(text);
  if (!isRecord(own)) return { attributes: visible };
  const { b, k, d, e } = own;
  if (!isCount(b) || !isCount(k) || typeof d !== "string" || (e !== undefined && typeof e !== "string")) {
    return { attributes: visible };
  }
  return { attributes: visible, extension: { bytes: b, chunks: k, digest: d, ...(e === undefined ? {} : { code: e }) } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
