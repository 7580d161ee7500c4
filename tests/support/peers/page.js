// Commands of browser_peer.js in its page, by livekit-client, which page.html has loaded.
import { bytesOf, textOf, told } from "./contents.js";
import { names, optionsOf } from "./options.js";

const { Room, RoomEvent } = globalThis.LivekitClient;
const room = new Room();
/** Writers left open by a command, so that they are not collected. */
const open = [];

const COMMON = names("topic", "attributes", "destinationIdentities");
const BYTES = names("name", "mimeType");

globalThis.peer = {
  async connect({ url, token }) {
    room.on(
      RoomEvent.DataReceived,
      (data, participant, _kind, topic) =>
        globalThis.emit({ event: "data", from: participant?.identity, topic, base64: btoa(String.fromCharCode(...data)) }),
    );
    room.on(RoomEvent.Disconnected, () => globalThis.emit({ event: "disconnected" }));
    await room.connect(url, token, { autoSubscribe: false });
    return { identity: room.localParticipant.identity };
  },

  participants: () => [...room.remoteParticipants.keys()],

  listen({ kind, topic }) {
    const handler = (reader, { identity }) => void receive(kind, reader, identity);
    if (kind === "text") room.registerTextStreamHandler(topic, handler);
    else room.registerByteStreamHandler(topic, handler);
  },

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

  async streamText({ pieces, options, close }) {
    const known = { ...COMMON, ...names("streamId", "attachedStreamIds", "totalSize"), replyToId: "replyToStreamId" };
    const writer = await room.localParticipant.streamText(optionsOf("streamText", options, known));
    for (const piece of pieces) await writer.write(textOf(piece));
    return await ended(writer, close);
  },

  async streamBytes({ pieces, options, close }) {
    const known = { ...COMMON, ...BYTES, ...names("streamId", "totalSize") };
    const writer = await room.localParticipant.streamBytes(optionsOf("streamBytes", options, known));
    for (const piece of pieces) await writer.write(bytesOf(piece));
    return await ended(writer, close);
  },

  sendFile({ content, options }) {
    const known = names("topic", "destinationIdentities", "name", "mimeType", "compress");
    const { name = "sent", mimeType = "", ...given } = optionsOf("sendFile", options, known);
    return room.localParticipant.sendFile(new File([bytesOf(content)], name, { type: mimeType }), given);
  },

  publishData: ({ content, options }) =>
    room.localParticipant.publishData(bytesOf(content), {
      reliable: true,
      ...optionsOf("publishData", options, names("topic", "destinationIdentities")),
    }),

  performRpc: ({ to, method, payload }) =>
    room.localParticipant.performRpc({ destinationIdentity: to, method, payload, responseTimeout: 5_000 }),

  answerRpc({ method, response }) {
    room.registerRpcMethod(method, ({ callerIdentity, payload }) => {
      globalThis.emit({ event: "rpc", from: callerIdentity, method, payload });
      return Promise.resolve(response);
    });
  },

  disconnect: () => room.disconnect(),
};

async function receive(kind, reader, from) {
  const info = { ...reader.info, attributes: { ...reader.info.attributes } };
  const parts = [];
  let error;
  try {
    for await (const part of reader) parts.push(part);
  } catch (thrown) {
    error = thrown.message;
  }
  const content = await told(kind === "text" ? parts.join("") : parts);
  globalThis.emit({ event: "received", kind, from, info, infoAtEnd: reader.info, content, parts: parts.length, error });
}

async function ended(writer, close) {
  if (close === false) open.push(writer);
  else if (close !== undefined) throw new Error("Cannot close with a reason or attributes as the SDK has no way to give them");
  else await writer.close();
  return writer.info;
}
