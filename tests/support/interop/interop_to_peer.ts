// Streams of Millrace, as participants of other SDKs get and show them.
import { File } from "node:buffer";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ByteStreamInfo, Runtime, TextStreamInfo } from "../../../mod.ts";
import { bytesOf, type Content, textOf } from "../peers/contents.js";
import type { PeerInfo, PeerKind } from "../peers/sdk_peer.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

type Info = TextStreamInfo | ByteStreamInfo;

/** Receivers and topic: `send` spreads them into its options. */
export interface Target {
  topic: string;
  destinationIdentities?: readonly string[];
}

export interface ToPeer {
  name: string;
  kind: "text" | "bytes";
  content: Content;
  send(runtime: Runtime, target: Target, content: Content): Promise<Info>;
  /** True for a stream to everybody, not to the peer alone. */
  broadcast?: boolean;
  /** Attributes of the trailer. */
  attributes?: Record<string, string>;
  /** The trailer's reason, which tells other SDKs that the stream failed. */
  reason?: string;
}

/** Sizes around that of a chunk, and of texts whose characters cross the borders of chunks. */
const SIZES: readonly number[] = [0, 1, 14_999, 15_000, 15_001, 1_000_000];

const ATTRIBUTES: Readonly<Record<string, string>> = { mood: "calm", "größe": "😀", empty: "" };

export const TO_PEER: readonly ToPeer[] = [
  ...SIZES.flatMap((length): ToPeer[] => [
    { name: `text of ${length} bytes`, kind: "text", content: { length, seed: 1 }, send: sendText },
    { name: `bytes of ${length} bytes`, kind: "bytes", content: { length, seed: 2 }, send: sendBytes },
    { name: `a file of ${length} bytes`, kind: "bytes", content: { length, seed: 3 }, send: sendFile },
  ]),
  { name: "text whose characters lie over the chunks' borders", kind: "text", content: crossing("€"), send: sendText },
  { name: "the same of four bytes each", kind: "text", content: crossing("😀"), send: sendText },
  { name: "text in pieces, of unknown size", kind: "text", content: { length: 40_000, seed: 4 }, send: streamText },
  { name: "text of which nothing is written", kind: "text", content: { text: "" }, send: streamText },
  { name: "bytes in pieces, of unknown size", kind: "bytes", content: { length: 40_000, seed: 5 }, send: streamBytes },
  {
    name: "bytes in pieces, of a known size",
    kind: "bytes",
    content: { length: 40_000, seed: 6 },
    send: (runtime, target, content) => streamBytes(runtime, { ...target, totalSize: 40_000 }, content),
  },
  { name: "text for everybody", kind: "text", content: { length: 20_000, seed: 7 }, send: sendText, broadcast: true },
  { name: "bytes for everybody", kind: "bytes", content: { length: 20_000, seed: 8 }, send: sendBytes, broadcast: true },
  {
    name: "text with attributes, an id, and what it answers",
    kind: "text",
    content: { text: "yes" },
    send: async (runtime, target, content) =>
      await runtime.sendText(textOf(content), {
        ...target,
        attributes: { ...ATTRIBUTES },
        streamId: crypto.randomUUID(),
        replyToId: "question",
      }),
    broadcast: true,
  },
  {
    name: "text with ids of attachments",
    kind: "text",
    content: { text: "see these" },
    send: async (runtime, target, content) =>
      await runtime.sendText(textOf(content), { ...target, attachedStreamIds: ["one", "two"] }),
  },
  {
    name: "bytes with attributes, a name and a type",
    kind: "bytes",
    content: { length: 100, seed: 9 },
    send: async (runtime, target, content) =>
      await runtime.sendBytes(bytesOf(content), {
        ...target,
        attributes: { ...ATTRIBUTES },
        name: "größe.csv",
        mimeType: "text/csv",
      }),
  },
  {
    name: "text with attributes at its end",
    kind: "text",
    content: { length: 20_000, seed: 10 },
    send: (runtime, target, content) =>
      streamText(runtime, { ...target, attributes: { tokens: "?", mood: "calm" } }, content, { attributes: { tokens: "4" } }),
    attributes: { tokens: "4" },
  },
  {
    name: "text that is closed with a reason",
    kind: "text",
    content: { length: 20_000, seed: 11 },
    send: (runtime, target, content) => streamText(runtime, target, content, { reason: "enough" }),
    reason: "enough",
  },
  {
    name: "bytes that are aborted",
    kind: "bytes",
    content: { length: 20_000, seed: 12 },
    async send(runtime, target, content) {
      const writer = await runtime.streamBytes(target);
      await writer.write(bytesOf(content));
      while (writer.progress.received < bytesOf(content).length) await new Promise((resolve) => setTimeout(resolve, 5)); // else it is dropped
      await writer.abort("changed my mind");
      return writer.info;
    },
    reason: "changed my mind",
  },
];

/** A text with attached files, which are byte streams on the same topic, after the text. */
export async function sendWithAttachments(runtime: Runtime, target: Target): Promise<TextStreamInfo> {
  const files = [
    new File([bytesOf({ length: 20_000, seed: 13 })], "a.bin"),
    new File(["hello"], "b.txt", { type: "text/plain" }),
  ];
  return await runtime.sendText("with files", { ...target, attachments: files as unknown as globalThis.File[] });
}

/** Info of a stream as an SDK shows it, from the sender's info. */
export function shownBy(kind: PeerKind, info: Info): PeerInfo {
  const { streamId, mimeType, topic, timestamp, size, attributes } = info;
  const common = { mimeType, topic, timestamp, attributes };
  const named = "name" in info ? { name: info.name } : undefined;
  switch (kind) {
    case "rtc-node-1":
    case "rtc-node-0.13": {
      // A text's size of 0 counts as none there. The SDK has no field for attachments, nor for replyToId.
      const known = size !== undefined && (size > 0 || named !== undefined);
      return { streamId, ...common, ...(known ? { totalSize: size } : {}), ...named };
    }
    case "python": // no difference between a size of 0 and none, nor a field for what a text answers
      return {
        stream_id: streamId,
        mime_type: mimeType,
        topic,
        timestamp,
        size: size ?? 0,
        attributes,
        ...(named ?? { attachments: "attachments" in info ? info.attachments : [] }),
      };
    case "browser": { // it takes a size of 0 for none, and has no field for what a text answers
      const attached = "attachments" in info ? { attachedStreamIds: info.attachments } : {};
      return { id: streamId, ...common, ...(size ? { size } : {}), encryptionType: 0, ...named, ...attached };
    }
  }
}

/** The same info when the stream has ended. */
export function shownAtEnd(kind: PeerKind, info: Info, attributes: Record<string, string>): PeerInfo {
  const merges = kind === "python" || kind === "browser"; // rtc-node has no way to see a trailer's attributes
  return shownBy(kind, merges ? { ...info, attributes: { ...info.attributes, ...attributes } } : info);
}

/** Error of an SDK for a stream whose trailer has a reason. */
export function failureShownBy(kind: PeerKind, { streamId }: Info, reason: string): string {
  return kind === "browser" ? `Data stream ${streamId} closed abnormally: ${reason}` : `stream closed abnormally: ${reason}`;
}

async function sendText(runtime: Runtime, target: Target, content: Content): Promise<Info> {
  return await runtime.sendText(textOf(content), target);
}

async function sendBytes(runtime: Runtime, target: Target, content: Content): Promise<Info> {
  return await runtime.sendBytes(bytesOf(content), target);
}

async function sendFile(runtime: Runtime, target: Target, content: Content): Promise<Info> {
  let info: Info | undefined;
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "größe & co.json");
    await writeFile(path, bytesOf(content));
    info = await runtime.sendFile(path, target);
  });
  return info as Info;
}

/** Writes in pieces of 7,001 UTF-16 units, so that some surrogate pairs are cut in two. */
async function streamText(
  runtime: Runtime,
  options: Target & { attributes?: Record<string, string> },
  content: Content,
  close?: { reason?: string; attributes?: Record<string, string> },
): Promise<Info> {
  const text = textOf(content);
  const writer = await runtime.streamText(options);
  for (let at = 0; at < text.length; at += 7_001) await writer.write(text.slice(at, at + 7_001));
  await writer.close(close);
  return writer.info;
}

async function streamBytes(runtime: Runtime, options: Target & { totalSize?: number }, content: Content): Promise<Info> {
  const bytes = bytesOf(content);
  const writer = await runtime.streamBytes(options);
  for (let at = 0; at < bytes.length; at += 7_001) await writer.write(bytes.subarray(at, at + 7_001));
  await writer.close();
  return writer.info;
}

/** Text of several chunks, with a character across every border of 15,000 bytes. */
function crossing(character: string): Content {
  return { text: `x${character.repeat(20_000)}` };
}
