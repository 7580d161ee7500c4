// node rtc_node_peer.js 1|0.13: a participant that uses that version of @livekit/rtc-node as its users do. One per process, as the native
// part has one callback for all.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bytesOf, textOf, told } from "./contents.js";
import { emit, serve } from "../../../bench/support/json_lines.js";
import { names, optionsOf } from "./options.js";

const { dispose, Room, RoomEvent } = process.argv[2] === "0.13"
  ? await import(new URL("../../../tools/rtc_node_013/node_modules/@livekit/rtc-node/dist/index.js", import.meta.url).href)
  : await import("@livekit/rtc-node");

const TEXT_OPTIONS = names("topic", "attributes", "destinationIdentities", "streamId");
const room = new Room();
/** Writers left open by a command, so that they are not collected. */
const open = [];

serve({
  async connect({ url, token }) {
    room.on(
      RoomEvent.DataReceived,
      (data, participant, _kind, topic) =>
        emit({ event: "data", from: participant?.identity, topic, base64: Buffer.from(data).toString("base64") }),
    );
    room.on(RoomEvent.Disconnected, () => emit({ event: "disconnected" }));
    await room.connect(url, token, { autoSubscribe: false, dynacast: false });
    return { identity: room.localParticipant.identity };
  },

  participants: () => [...room.remoteParticipants.keys()],

  listen({ kind, topic }) {
    const handler = (reader, { identity }) => void receive(kind, reader, identity);
    if (kind === "text") room.registerTextStreamHandler(topic, handler);
    else room.registerByteStreamHandler(topic, handler);
  },

  sendText: ({ content, options }) =>
    room.localParticipant.sendText(
      textOf(content),
      optionsOf("sendText", options, { ...TEXT_OPTIONS, ...names("compress") }),
    ),

  async streamText({ pieces, options, close }) {
    const known = { ...TEXT_OPTIONS, ...names("senderIdentity") };
    const writer = await room.localParticipant.streamText(optionsOf("streamText", options, known));
    for (const piece of pieces) await writer.write(textOf(piece));
    return await ended(writer, close);
  },

  async streamBytes({ pieces, options, close }) {
    const known = { ...TEXT_OPTIONS, ...names("name", "mimeType", "totalSize") };
    const writer = await room.localParticipant.streamBytes(optionsOf("streamBytes", options, known));
    for (const piece of pieces) await writer.write(bytesOf(piece));
    return await ended(writer, close);
  },

  async sendFile({ content, options }) {
    const known = names("topic", "attributes", "destinationIdentities", "name", "mimeType", "compress");
    const folder = await mkdtemp(join(tmpdir(), "millrace-peer-"));
    try {
      await writeFile(join(folder, "sent"), bytesOf(content));
      return await room.localParticipant.sendFile(join(folder, "sent"), optionsOf("sendFile", options, known));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },

  publishData: ({ content, options }) =>
    room.localParticipant.publishData(bytesOf(content), {
      reliable: true,
      ...optionsOf("publishData", options, { topic: "topic", destinationIdentities: "destination_identities" }),
    }),

  performRpc: ({ to, method, payload }) =>
    room.localParticipant.performRpc({ destinationIdentity: to, method, payload, responseTimeout: 5_000 }),

  answerRpc({ method, response }) {
    room.localParticipant.registerRpcMethod(method, ({ callerIdentity, payload }) => {
      emit({ event: "rpc", from: callerIdentity, method, payload });
      return Promise.resolve(response);
    });
  },

  /** Reports each packet of a stream as the native part does, below the SDK's own interface, which does not show all of a header. */
  record() {
    const kinds = { streamHeaderReceived: "header", streamChunkReceived: "chunk", streamTrailerReceived: "trailer" };
    globalThis._ffiClientInstance.on("ffi_event", ({ message }) => {
      if (message.case !== "roomEvent") return;
      const { case: name, value } = message.value.message;
      if (name in kinds) emit({ event: "packet", from: value.participantIdentity, ...packetOf(kinds[name], value[kinds[name]]) });
    });
  },

  disconnect: () => room.disconnect(),
}, async () => {
  await room.disconnect();
  await dispose();
});

async function receive(kind, reader, from) {
  const info = structuredClone(reader.info);
  const parts = [];
  let error;
  try {
    for await (const part of reader) parts.push(part);
  } catch (thrown) {
    error = thrown.message;
  }
  const content = await told(kind === "text" ? parts.join("") : parts);
  emit({ event: "received", kind, from, info, infoAtEnd: reader.info, content, parts: parts.length, error });
}

/** The package has no public way to give a reason. This does the same as its writers when they fail. */
async function ended(writer, close) {
  if (close === false) open.push(writer);
  else if (close?.attributes !== undefined) throw new Error("Cannot close with attributes as the SDK has no way to give them");
  else if (close?.reason !== undefined) await writer.defaultWriter.abort(new Error(close.reason));
  else await writer.close();
  return writer.info;
}

function packetOf(kind, packet) {
  if (kind !== "chunk") return { kind, packet: packet.toJson() };
  return { kind, packet: { streamId: packet.streamId, chunkIndex: packet.chunkIndex, length: packet.content.length } };
}
