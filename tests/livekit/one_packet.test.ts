// Short texts for everybody by the SDK's own sendText: one packet, and all that a header says.
import * as assert from "uvu/assert";
import { createRuntime } from "../../mod.ts";
import { livekit } from "../../transports/livekit.ts";
import { suite } from "../harness.ts";
import { connect, disposeAll, inRooms, type Room, type TextStreamReader } from "./rooms.ts";
import { startServer } from "./server.ts";

const test = suite("one packet to other SDKs");

interface Got {
  text: string;
  topic: string;
  streamId: string;
  attributes: Record<string, string>;
  size: number | undefined;
}

/** The next text of a topic that a Room's own handler is given. */
function next(room: Room, topic: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    room.registerTextStreamHandler(topic, (reader: TextStreamReader) => {
      room.unregisterTextStreamHandler(topic);
      const { streamId, attributes = {}, totalSize: size } = reader.info;
      reader.readAll().then((text) => resolve({ text, topic: reader.info.topic, streamId, attributes, size }), reject);
    });
  });
}

test(
  "a short text for everybody is one packet where all can take that; for one alone it is not, and reaches that one only",
  async () => {
    await using server = await startServer();
    await inRooms(async () => {
      const alice = await connect(server, "alice", "one");
      const [bob, carol] = [await connect(server, "bob", "one"), await connect(server, "carol", "one")];
      const runtime = await createRuntime({ transport: livekit(alice) });
      await runtime.sendText("they are known when this has found them", { destinationIdentities: ["bob", "carol"] });
      await runtime.sendText("and this one", { destinationIdentities: ["carol"] });

      const events: string[] = [];
      const handles = new Map([bob, carol].map((room) => [(room as unknown as Insides).ffiHandle.handle, room]));
      const client = (globalThis as unknown as { _ffiClientInstance: NodeJS.EventEmitter })._ffiClientInstance;
      const note = ({ message }: RawEvent): void => {
        const room = message.case === "roomEvent" ? handles.get(message.value.roomHandle) : undefined;
        const { case: name = "", value } = message.value.message ?? {};
        const { streamId } = value?.header ?? value?.chunk ?? value?.trailer ?? {};
        if (room !== undefined && streamId === "mine") events.push(`${room.localParticipant?.identity} ${name}`);
      };
      client.on("ffi_event", note);
      try {
        const options = { topic: "t", attributes: { mood: "fine" }, replyToId: "before", streamId: "mine" };
        const both = Promise.all([next(bob, "t"), next(carol, "t")]);
        const { size } = await runtime.sendText("zażółć 🦀", options);
        for (const got of await both) {
          assert.equal(got, { text: "zażółć 🦀", topic: "t", streamId: "mine", attributes: { mood: "fine" }, size });
        }
        assert.equal(events.sort(), ["bob streamHeaderReceived", "carol streamHeaderReceived"]);

        events.length = 0;
        const forBob = next(bob, "t");
        await runtime.sendText("for bob", { topic: "t", streamId: "mine", destinationIdentities: ["bob"] });
        assert.is((await forBob).text, "for bob");
        const after = Promise.all([next(bob, "t"), next(carol, "t")]);
        await runtime.sendText("what came before has come", { topic: "t" });
        await after;
        assert.equal(events, ["bob streamHeaderReceived", "bob streamChunkReceived", "bob streamTrailerReceived"]);
      } finally {
        client.off("ffi_event", note);
        await runtime.close();
      }
    });
  },
  { seconds: 60 },
);

interface Insides {
  readonly ffiHandle: { readonly handle: bigint };
}

interface RawEvent {
  readonly message: {
    readonly case?: string;
    readonly value: {
      readonly roomHandle: bigint;
      readonly message?: {
        readonly case?: string;
        readonly value?: Partial<Record<"header" | "chunk" | "trailer", { readonly streamId: string }>>;
      };
    };
  };
}

test.after(disposeAll);
test.run();
