// Commands of browser_peer.js in its page, by livekit-client, which page.html has loaded.
import { bytesOf, textOf } from "./contents.js";
import { names, optionsOf } from "./options.js";
import { COMMON, roomCommands } from "./room_commands.js";

const sdk = globalThis.LivekitClient;
const room = new sdk.Room();
const BYTES = names("name", "mimeType");

globalThis.peer = {
  ...roomCommands({
    sdk,
    room,
    known: {
      streamText: { ...COMMON, ...names("streamId", "attachedStreamIds", "totalSize"), replyToId: "replyToStreamId" },
      streamBytes: { ...COMMON, ...BYTES, ...names("streamId", "totalSize") },
      publishData: names("topic", "destinationIdentities"),
    },
    emit: (event) => globalThis.emit(event),
    endBy() {
      throw new Error("Cannot close with a reason or attributes as the SDK has no way to give them");
    },
    answerer: () => room,
    connectOptions: { autoSubscribe: false },
  }),

  sendText({ content, options }) {
    const { attachments, ...given } = optionsOf("sendText", options, { ...COMMON, ...names("compress", "attachments") });
    const files = attachments?.map((one) => new File([bytesOf(one.content)], one.name, { type: one.mimeType }));
    return room.localParticipant.sendText(textOf(content), { ...given, ...(files && { attachments: files }) });
  },

  sendBytes: ({ content, options }) =>
    room.localParticipant.sendBytes(
      bytesOf(content),
      optionsOf("sendBytes", options, { ...COMMON, ...BYTES, ...names("compress") }),
    ),

  sendFile({ content, options }) {
    const known = names("topic", "destinationIdentities", "name", "mimeType", "compress");
    const { name = "sent", mimeType = "", ...given } = optionsOf("sendFile", options, known);
    return room.localParticipant.sendFile(new File([bytesOf(content)], name, { type: mimeType }), given);
  },
};
