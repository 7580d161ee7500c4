// Commands that the Rooms of @livekit/rtc-node and livekit-client carry out alike. Uses nothing that browsers lack.
import { bytesOf, textOf, told } from "./contents.js";
import { names, optionsOf } from "./options.js";

/** Options of every call that sends a stream. */
export const COMMON = names("topic", "attributes", "destinationIdentities");

/**
 * Commands on `room`. `known` has the SDK's options of each call; `emit` sends events; `endBy` ends a writer with a reason or attributes;
 * `answerer` gives the object that answers calls.
 */
export function roomCommands({ sdk: { RoomEvent }, room, known, emit, endBy, answerer, connectOptions }) {
  /** Writers left open by a command, so that they are not collected. */
  const open = [];

  const receive = async (kind, reader, from) => {
    const info = { ...reader.info, attributes: { ...reader.info.attributes } };
    const parts = [];
    let error;
    try {
      for await (const part of reader) parts.push(part);
    } catch (thrown) {
      error = thrown.message;
    }
    const content = await told(kind === "text" ? parts.join("") : parts);
    emit({ event: "received", kind, from, info, infoAtEnd: reader.info, content, parts: parts.length, error });
  };

  const write = async (writer, pieces, close) => {
    for (const piece of pieces) await writer.write(piece);
    if (close === false) open.push(writer);
    else if (close === undefined) await writer.close();
    else await endBy(writer, close);
    return writer.info;
  };

  return {
    async connect({ url, token }) {
      room.on(
        RoomEvent.DataReceived,
        (data, participant, _kind, topic) =>
          emit({ event: "data", from: participant?.identity, topic, base64: btoa(String.fromCharCode(...data)) }),
      );
      room.on(RoomEvent.Disconnected, () => emit({ event: "disconnected" }));
      await room.connect(url, token, connectOptions);
      return { identity: room.localParticipant.identity };
    },

    participants: () => [...room.remoteParticipants.keys()],

    listen({ kind, topic }) {
      const handler = (reader, { identity }) => void receive(kind, reader, identity);
      if (kind === "text") room.registerTextStreamHandler(topic, handler);
      else room.registerByteStreamHandler(topic, handler);
    },

    sendText: ({ content, options }) =>
      room.localParticipant.sendText(textOf(content), optionsOf("sendText", options, known.sendText)),

    async streamText({ pieces, options, close }) {
      const writer = await room.localParticipant.streamText(optionsOf("streamText", options, known.streamText));
      return await write(writer, pieces.map(textOf), close);
    },

    async streamBytes({ pieces, options, close }) {
      const writer = await room.localParticipant.streamBytes(optionsOf("streamBytes", options, known.streamBytes));
      return await write(writer, pieces.map(bytesOf), close);
    },

    publishData: ({ content, options }) =>
      room.localParticipant.publishData(bytesOf(content), {
        reliable: true,
        ...optionsOf("publishData", options, known.publishData),
      }),

    performRpc: ({ to, method, payload }) =>
      room.localParticipant.performRpc({ destinationIdentity: to, method, payload, responseTimeout: 5_000 }),

    answerRpc({ method, response }) {
      answerer().registerRpcMethod(method, ({ callerIdentity, payload }) => {
        emit({ event: "rpc", from: callerIdentity, method, payload });
        return Promise.resolve(response);
      });
    },

    disconnect: () => room.disconnect(),
  };
}
