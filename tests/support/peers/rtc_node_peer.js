// node rtc_node_peer.js 1|0.13: a participant that uses that version of @livekit/rtc-node as its users do. One per process, as the native
// part has one callback for all.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bytesOf } from "./contents.js";
import { emit, serve } from "../../../bench/support/json_lines.js";
import { names, optionsOf } from "./options.js";
import { COMMON, roomCommands } from "./room_commands.js";

const sdk = process.argv[2] === "0.13"
  ? await import(new URL("../../../tools/rtc_node_013/node_modules/@livekit/rtc-node/dist/index.js", import.meta.url).href)
  : await import("@livekit/rtc-node");

const room = new sdk.Room();
const TEXT = { ...COMMON, ...names("streamId") };

serve({
  ...roomCommands({
    sdk,
    room,
    known: {
      sendText: { ...TEXT, ...names("compress") },
      streamText: { ...TEXT, ...names("senderIdentity") },
      streamBytes: { ...TEXT, ...names("name", "mimeType", "totalSize") },
      publishData: { topic: "topic", destinationIdentities: "destination_identities" },
    },
    emit,
    endBy,
    answerer: () => room.localParticipant,
    connectOptions: { autoSubscribe: false, dynacast: false },
  }),

  async sendFile({ content, options }) {
    const known = { ...COMMON, ...names("name", "mimeType", "compress") };
    const folder = await mkdtemp(join(tmpdir(), "millrace-peer-"));
    try {
      await writeFile(join(folder, "sent"), bytesOf(content));
      return await room.localParticipant.sendFile(join(folder, "sent"), optionsOf("sendFile", options, known));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
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
}, async () => {
  await room.disconnect();
  await sdk.dispose();
});

/** The package has no public way to give a reason. This does the same as its writers when they fail. */
async function endBy(writer, { reason, attributes }) {
  if (attributes !== undefined) throw new Error("Cannot close with attributes as the SDK has no way to give them");
  if (reason === undefined) await writer.close();
  else await writer.defaultWriter.abort(new Error(reason));
}

function packetOf(kind, packet) {
  if (kind !== "chunk") return { kind, packet: packet.toJson() };
  return { kind, packet: { streamId: packet.streamId, chunkIndex: packet.chunkIndex, length: packet.content.length } };
}
