// Streams of other SDKs, as Millrace's handlers get and show them.
import type { ByteStreamInfo, TextStreamInfo } from "../../../mod.ts";
import { bytesOf, type Content, textOf } from "../peers/contents.js";
import type { PeerInfo, PeerKind, PeerOptions, SdkPeer } from "../peers/sdk_peer.ts";

export interface FromPeer {
  name: string;
  kind: "text" | "bytes";
  content: Content;
  /** SDKs that have the feature. Default: all. */
  kinds?: readonly PeerKind[];
  send(peer: SdkPeer, options: PeerOptions, content: Content): Promise<PeerInfo>;
  /** Options besides topic and destination. */
  options?: PeerOptions;
  /** True for a stream to everybody. */
  broadcast?: boolean;
  /** Largest number of chunks, if fewer than the stream's length needs: it came in one packet (0 chunks), or compressed. */
  mostChunks?: number;
  /** Fields of the info that do not follow from the options. */
  info?: (kind: PeerKind) => Partial<TextStreamInfo & ByteStreamInfo>;
  /** Attributes of the trailer. */
  attributes?: Record<string, string>;
  reason?: string;
}

const SIZES: readonly number[] = [0, 1, 14_999, 15_000, 15_001, 1_000_000];

const NODE: readonly PeerKind[] = ["rtc-node-1", "rtc-node-0.13"];
const ATTRIBUTES: Record<string, string> = { mood: "calm", "größe": "😀", empty: "" };

export const FROM_PEER: readonly FromPeer[] = [
  ...SIZES.flatMap((length): FromPeer[] => [
    { name: `text of ${length} bytes`, kind: "text", content: { length, seed: 21 }, send: sendText },
    { name: `text of ${length} bytes in pieces`, kind: "text", content: { length, seed: 22 }, send: streamText },
    {
      name: `bytes of ${length} bytes in pieces`,
      kind: "bytes",
      content: { length, seed: 23 },
      send: streamBytes,
      info: unnamed,
    },
    {
      name: `bytes of ${length} bytes in one call`,
      kind: "bytes",
      content: { length, seed: 24 },
      kinds: ["python", "browser"],
      send: (peer, options, content) => peer.sendBytes(content, options),
      info: () => ({ name: "unknown", size: length }),
    },
    {
      name: `a file of ${length} bytes`,
      kind: "bytes",
      content: { length, seed: 25 },
      send: (peer, options, content) => peer.sendFile(content, { ...options, name: "a.json" }),
      info: (kind) => ({ name: "a.json", size: length, mimeType: fileType(kind) }),
    },
  ]),
  {
    name: "text whose characters lie over the chunks' borders",
    kind: "text",
    content: { text: `x${"€".repeat(20_000)}` },
    send: streamText,
  },
  {
    name: "the same of four bytes each",
    kind: "text",
    content: { text: `x${"😀".repeat(20_000)}` },
    send: (peer, options, content) => peer.streamText([content], options),
  },
  {
    name: "short text in one packet",
    kind: "text",
    content: { text: "größe 😀" },
    send: sendText,
    broadcast: true,
    mostChunks: 0,
  },
  {
    name: "long text that is small enough for one packet, compressed",
    kind: "text",
    content: { repeat: "all alike ", times: 30_000 },
    send: sendText,
    broadcast: true,
    mostChunks: 0,
  },
  {
    name: "long text, compressed",
    kind: "text",
    content: { length: 300_000, seed: 26 },
    send: sendText,
    broadcast: true,
    mostChunks: 10,
  },
  {
    name: "long text, not compressed",
    kind: "text",
    content: { length: 30_000, seed: 27 },
    send: sendText,
    options: { compress: false },
    broadcast: true,
  },
  {
    name: "a file, compressed",
    kind: "bytes",
    content: { repeat: "all alike ", times: 30_000 },
    send: (peer, options, content) => peer.sendFile(content, { ...options, name: "a.json" }),
    broadcast: true,
    mostChunks: 3,
    info: (kind) => ({ name: "a.json", size: 300_000, mimeType: fileType(kind) }),
  },
  { name: "text for everybody", kind: "text", content: { length: 20_000, seed: 28 }, send: streamText, broadcast: true },
  {
    name: "bytes for everybody",
    kind: "bytes",
    content: { length: 20_000, seed: 29 },
    send: streamBytes,
    broadcast: true,
    info: unnamed,
  },
  { name: "text with attributes", kind: "text", content: { text: "yes" }, send: sendText, options: { attributes: ATTRIBUTES } },
  {
    name: "bytes with attributes, an id, a name, a type and a size",
    kind: "bytes",
    content: { length: 20_000, seed: 30 },
    send: streamBytes,
    options: { attributes: ATTRIBUTES, streamId: "an id", name: "größe.csv", mimeType: "text/csv", totalSize: 20_000 },
  },
  {
    name: "text with an id and attributes, in pieces",
    kind: "text",
    content: { length: 20_000, seed: 31 },
    send: streamText,
    options: { attributes: ATTRIBUTES, streamId: "another id" },
  },
  {
    name: "text that answers another",
    kind: "text",
    content: { text: "yes" },
    kinds: ["python"],
    send: sendText,
    options: { replyToId: "question" },
  },
  {
    name: "text that answers another, in pieces",
    kind: "text",
    content: { text: "yes" },
    kinds: ["python", "browser"],
    send: streamText,
    options: { replyToId: "question" },
  },
  {
    name: "text with ids of attachments, of a known size",
    kind: "text",
    content: { length: 20_000, seed: 32 },
    kinds: ["browser"],
    send: streamText,
    options: { attachedStreamIds: ["one", "two"], totalSize: 20_000 },
  },
  {
    name: "text with a size that the SDK keeps to itself",
    kind: "text",
    content: { length: 20_000, seed: 33 },
    kinds: ["python"],
    send: streamText,
    options: { totalSize: 20_000 },
    info: () => ({ size: undefined as never }),
  },
  {
    name: "text under another name, which the server overrules",
    kind: "text",
    content: { text: "who am I" },
    kinds: [...NODE, "python"],
    send: streamText,
    options: { senderIdentity: "somebody else" },
  },
  {
    name: "text with attributes at its end",
    kind: "text",
    content: { length: 20_000, seed: 34 },
    kinds: ["python"],
    send: (peer, options, content) => peer.streamText([content], options, { attributes: { tokens: "4" } }),
    options: { attributes: { tokens: "?", mood: "calm" } },
    attributes: { tokens: "4" },
  },
  {
    name: "text that ends with a reason",
    kind: "text",
    content: { length: 20_000, seed: 35 },
    kinds: [...NODE, "python"],
    send: (peer, options, content) => peer.streamText([content], options, { reason: "changed my mind" }),
    reason: "changed my mind",
  },
  {
    name: "bytes that end with a reason",
    kind: "bytes",
    content: { length: 20_000, seed: 36 },
    kinds: [...NODE, "python"],
    send: (peer, options, content) => peer.streamBytes([content], options, { reason: "changed my mind" }),
    reason: "changed my mind",
    info: unnamed,
  },
];

/** Info that Millrace shows, from the options and the SDK's answer. For files, rtc-node and the browser do not send every field. */
export function expectedInfo(
  { kind, content, options = {}, send, info }: FromPeer,
  peer: PeerKind,
  topic: string,
  sent: PeerInfo,
  received: TextStreamInfo | ByteStreamInfo,
): TextStreamInfo | ByteStreamInfo {
  const whole = kind === "text" ? new TextEncoder().encode(textOf(content)) : bytesOf(content);
  const { totalSize = send === sendText ? whole.length : undefined, attributes = {}, name, mimeType, replyToId } = options;
  const common = {
    streamId: (sent["streamId"] ?? sent["stream_id"] ?? sent["id"] ?? received.streamId) as string,
    timestamp: (sent["timestamp"] ?? received.timestamp) as number,
    topic,
    attributes,
    mimeType: mimeType ?? (kind === "text" ? "text/plain" : "application/octet-stream"),
    ...(totalSize === undefined ? {} : { size: totalSize }),
  };
  const own = kind === "text"
    ? { attachments: [...options.attachedStreamIds ?? []], ...(replyToId === undefined ? {} : { replyToId }) }
    : { name: name ?? "" };
  return withoutUndefined({ ...common, ...own, ...info?.(peer) });
}

function withoutUndefined<T extends object>(info: T): T {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined)) as T;
}

async function sendText(peer: SdkPeer, options: PeerOptions, content: Content): Promise<PeerInfo> {
  return await peer.sendText(content, options);
}

/** Sends in two pieces, unless they are too long for the pipe. */
async function streamText(peer: SdkPeer, options: PeerOptions, content: Content): Promise<PeerInfo> {
  const characters = [...textOf(content)];
  const half = characters.length / 2;
  const halves = [{ text: characters.slice(0, half).join("") }, { text: characters.slice(half).join("") }];
  return await peer.streamText(characters.length > 50_000 ? [content] : halves, options);
}

async function streamBytes(peer: SdkPeer, options: PeerOptions, content: Content): Promise<PeerInfo> {
  return await peer.streamBytes([content], options);
}

/** The name of bytes without one: Python's has no default. */
function unnamed(kind: PeerKind): { name: string } {
  return { name: kind === "python" ? "" : "unknown" };
}

/** Type of a file of which only the name is given: Python guesses by the name, the browser by the File, rtc-node not at all. */
function fileType(kind: PeerKind): string {
  if (kind === "python") return "application/json";
  return kind === "browser" ? "" : "application/octet-stream";
}
