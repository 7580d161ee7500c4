// Tests between Millrace and another SDK, in both directions: each row of the two tables is one, all in one room.
import * as assert from "uvu/assert";
import type { ByteStreamInfo, ByteStreamReader, Runtime, StreamError, TextStreamInfo, TextStreamReader } from "../../../mod.ts";
import { suite } from "../harness.ts";
import { bytesOf, type Content, textOf, type Told, told } from "../peers/contents.js";
import type { PeerKind, Received } from "../peers/sdk_peer.ts";
import { expectedInfo, FROM_PEER, type FromPeer } from "./interop_from_peer.ts";
import { InteropRoom } from "./interop_room.ts";
import { failureShownBy, sendWithAttachments, shownAtEnd, shownBy, TO_PEER, type ToPeer } from "./interop_to_peer.ts";

/** A stream as Millrace's reader gives it. */
interface Heard {
  from: string;
  info: TextStreamInfo | ByteStreamInfo;
  content: Told;
  end?: { reason: string; attributes: Record<string, string> };
  error?: StreamError;
}

export function interop(kind: PeerKind): void {
  const test = suite(`interop ${kind}`);
  let opening: Promise<InteropRoom> | undefined;
  const room = (): Promise<InteropRoom> => opening ??= InteropRoom.open(kind);

  test(`interop ${kind}: all meet in one room`, async () => void await room(), { seconds: 60 }); // a browser on a busy machine takes its time
  for (const one of TO_PEER) test(`interop ${kind}, to the peer: ${one.name}`, async () => await sendToPeer(await room(), one));
  test(`interop ${kind}, to the peer: text with attached files`, async () => await sendFiles(await room()));
  for (const one of FROM_PEER.filter(({ kinds }) => kinds?.includes(kind) ?? true)) {
    test(`interop ${kind}, from the peer: ${one.name}`, async () => await sendFromPeer(await room(), one));
  }
  test(`interop ${kind}: no unexpected stream came`, async () => {
    const { peer, errors } = await room();
    assert.equal(peer.seen("received"), []);
    assert.equal(errors, []);
  });
  test(`interop ${kind}: all participants end`, async () => await (await room())[Symbol.asyncDispose]());
  test.run();
}

async function sendToPeer(room: InteropRoom, one: ToPeer): Promise<void> {
  const { runtime, peer } = room;
  const topic = `to ${one.name}`;
  await peer.listen(one.kind, topic);
  const target = one.broadcast === true ? { topic } : { topic, destinationIdentities: [peer.identity] };
  const info = await one.send(runtime, target, one.content);
  const received = await peer.received();

  assert.is(received.from, runtime.identity);
  assert.is(received.kind, one.kind);
  assert.equal(received.content, await toldOf(one.kind, one.content));
  assert.equal(received.info, shownBy(peer.kind, stripped(info)));
  assert.equal(received.infoAtEnd, shownAtEnd(peer.kind, stripped(info), one.attributes ?? {}));
  assert.is(received.error, one.reason === undefined ? undefined : failureShownBy(peer.kind, info, one.reason));

  await room.settled();
  const header = room.overheard(info.streamId).find((packet) => packet.kind === "header");
  if (one.broadcast !== true) assert.equal(room.overheard(info.streamId), []);
  else assert.ok(header !== undefined);
  if ("replyToId" in info) assert.match(JSON.stringify(header?.packet["textHeader"]), `"replyToStreamId":"${info.replyToId}"`);
}

async function sendFiles({ runtime, peer }: InteropRoom): Promise<void> {
  const topic = "files";
  await peer.listen("text", topic);
  await peer.listen("bytes", topic);
  const info = await sendWithAttachments(runtime, { topic, destinationIdentities: [peer.identity] });
  const all = [await peer.received(), await peer.received(), await peer.received()];
  const text = all.find((one) => one.kind === "text");
  assert.equal(text?.info, shownBy(peer.kind, stripped(info)));
  const idOf = (one: Received): unknown => one.info["streamId"] ?? one.info["stream_id"] ?? one.info["id"];
  // They are sent at the same time, and may end in any order.
  const files = info.attachments.map((id) => all.find((one) => idOf(one) === id) as Received);
  assert.equal(files.map((one) => one.info["name"]), ["a.bin", "b.txt"]);
  assert.equal(files.map((one) => one.content), [
    await toldOf("bytes", { length: 20_000, seed: 13 }),
    await toldOf("bytes", { text: "hello" }),
  ]);
}

async function sendFromPeer(room: InteropRoom, one: FromPeer): Promise<void> {
  const { runtime, peer } = room;
  const topic = `from ${one.name}`;
  const hearing = hear(runtime, one.kind, topic);
  const target = one.broadcast === true ? { topic } : { topic, destinationIdentities: [runtime.identity] };
  const sent = await one.send(peer, { ...target, ...one.options }, one.content);
  const { from, info, content, end, error } = await hearing;

  assert.is(from, peer.identity);
  assert.equal(content, await toldOf(one.kind, one.content));
  assert.equal(info, expectedInfo(one, peer.kind, topic, sent, info));
  if (one.reason === undefined) {
    assert.is(error, undefined, error?.message);
    assert.equal(end, { reason: "", attributes: one.attributes ?? {} });
  } else {
    assert.is(error?.code, "aborted");
    assert.is(error?.reason, one.reason);
  }

  if (one.mostChunks === undefined) return;
  await room.settled();
  const chunks = room.overheard(info.streamId).filter((packet) => packet.kind === "chunk");
  assert.ok(room.overheard(info.streamId).length > 0 && chunks.length <= one.mostChunks, `came in ${chunks.length} chunks`);
}

/** The next stream of a topic, read to its end. */
function hear(runtime: Runtime, kind: "text" | "bytes", topic: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const handler = (reader: TextStreamReader | ByteStreamReader, { identity }: { identity: string }): void => {
      read(reader, identity).then(resolve, reject);
    };
    if (kind === "text") runtime.registerTextStreamHandler(topic, handler);
    else runtime.registerByteStreamHandler(topic, handler);
  });
}

async function read(reader: TextStreamReader | ByteStreamReader, from: string): Promise<Heard> {
  const parts: (string | Uint8Array)[] = [];
  const { info } = reader;
  const outcome = await (async (): Promise<Pick<Heard, "end" | "error">> => {
    try {
      for await (const part of reader) parts.push(part);
      return { end: await reader.closed };
    } catch (error) {
      await reader.closed.catch(() => undefined);
      return { error: error as StreamError };
    }
  })();
  const text = parts.every((part) => typeof part === "string") && !("name" in info);
  return { from, info, content: await told(text ? parts.join("") : parts as Uint8Array[]), ...outcome };
}

async function toldOf(kind: "text" | "bytes", content: Content): Promise<Told> {
  return await told(kind === "text" ? textOf(content) : [bytesOf(content)]);
}

/** An info without the fields that only its sender has. */
function stripped<Info extends object>(info: Info): Info {
  const { receipts: _, ...rest } = info as Info & { receipts?: unknown };
  return rest as unknown as Info;
}
