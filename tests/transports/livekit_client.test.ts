// The transport's side of livekit-client's Rooms, over a fake Room: what it takes of the SDK, and what it leaves behind.
import * as assert from "uvu/assert";
import { OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import type { SdkEvents } from "../../transports/livekit/sdk/events.ts";
import type { FfiMessage } from "../../transports/livekit/sdk/ffi_messages.ts";
import type { ClientReader } from "../../transports/livekit_client/internals.ts";
import { type AdoptableRoom, livekit } from "../../transports/livekit_client/mod.ts";
import { ClientRoom } from "../../transports/livekit_client/room.ts";
import { FakeClientRoom } from "../support/pages/fake_client_room.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pause, until } from "../support/waiting.ts";

/** Members that a version may lack. */
const NEEDED: readonly string[] = [
  "engine.sendDataPacket",
  "engine.dataChannelForKind",
  "engine.prependListener",
  "engine.on",
  "incomingDataStreamManager.textStreamHandlers",
  "incomingDataStreamManager.byteStreamHandlers",
  "incomingDataStreamManager.handleStreamHeader",
  "localParticipant.publishDtmf",
  "localParticipant.performRpc",
  "remoteParticipants",
];

/** Codes of calls, as LiveKit defines them, and whether each proves the callee's presence. */
const CODES: readonly (readonly [code: number | undefined, isHere: boolean])[] = [
  [undefined, true],
  [1400, true],
  [1502, true],
  [1401, false],
  [1501, false],
];

const test = suite("livekit-client");

test("livekit: a value that is no Room of livekit-client is an invalid argument", async () => {
  for (const wrong of [undefined, null, "room", 7, {}, [], { isConnected: true }]) {
    const error = await rejection(() => livekit(wrong as unknown as AdoptableRoom), "invalid-argument");
    assert.match(error.message, "expected a Room of livekit-client");
  }
});

test("livekit: refuses a Room of livekit-client that is not connected", async () => {
  for (const state of ["disconnected", "connecting", "reconnecting", "signalReconnecting"]) {
    const room = new FakeClientRoom();
    room.state = state;
    const error = await rejection(() => livekit(room), "transport");
    assert.match(error.message, `its state is "${state}", await its connect() first`);
  }
});

test("livekit: names each member that a version of livekit-client lacks", async () => {
  for (const path of NEEDED) {
    const room = new FakeClientRoom();
    const names = path.split(".");
    const last = names.pop() as string;
    const holder = names.reduce(
      (found, name) => found[name] as Record<string, unknown>,
      room as unknown as Record<string, unknown>,
    );
    holder[last] = undefined;
    const error = await rejection(() => livekit(room), "transport");
    assert.match(error.message, `lacks room.${path}`);
  }
  const room = new FakeClientRoom();
  room.localParticipant.publishDtmf = () => Promise.reject(new Error("it is done otherwise"));
  assert.match((await rejection(() => livekit(room), "transport")).message, "lacks the class of its packets");
});

test("ClientRoom: finds the class of packets, and sends nothing for it", () =>
  withRoom(async ({ sdk, sent }) => {
    assert.equal(sent, []);
    await sdk.sendChunk("s", 3, new Uint8Array([1, 2]), ["bob", "carol"]);
    const [packet] = sent;
    assert.equal(packet?.value, {
      case: "streamChunk",
      value: { streamId: "s", chunkIndex: 3n, content: new Uint8Array([1, 2]) },
    });
    assert.equal(packet?.destinationIdentities, ["bob", "carol"]);
  }));

test("ClientRoom: a packet waits while the channel's buffer is fuller than the bound", () =>
  withRoom(async ({ sdk, sent, channel }) => {
    sdk.setBufferedAmount(64_000);
    channel.bufferedAmount = 64_001;
    const sending = sdk.sendChunk("s", 0, new Uint8Array(1), ["bob"]);
    channel.dispatchEvent(new Event("bufferedamountlow")); // it is not low
    await Promise.resolve();
    assert.equal([sent.length, channel.bufferedAmountLowThreshold], [0, 64_000]);
    channel.drain();
    await sending;
    assert.is(sent.length, 1);
    sdk.restoreBufferedAmount();
    assert.is(channel.bufferedAmountLowThreshold, 65_536);
  }));

test("ClientRoom: a packet waits while the Room connects anew, as the SDK would keep the failure of a connection", () =>
  withRoom(async ({ room, sdk, sent, channel }) => {
    room.state = "reconnecting";
    channel.readyState = "closed";
    const sending = sdk.sendChunk("s", 0, new Uint8Array(1), ["bob"]);
    await sdk.releaseRequests();
    await pause(10);
    assert.is(sent.length, 0);
    room.state = "connected";
    await sdk.releaseRequests(); // opens the channel, by a packet to nobody else
    await sending;
    assert.equal(new Set(sent.map(({ destinationIdentities }) => destinationIdentities[0])), new Set(["alice", "bob"]));
  }));

test("ClientRoom: a resumed connection, whose channel stays open, sends meanwhile", () =>
  withRoom(async ({ room, sdk, sent }) => {
    room.state = "signalReconnecting";
    await sdk.sendChunk("s", 0, new Uint8Array(1), ["bob"]);
    assert.is(sent.length, 1);
  }));

test("ClientRoom: stopping rejects the packet that waits, and ends calls as unanswered", () =>
  withRoom(async ({ sdk, sent, channel, room }) => {
    channel.bufferedAmount = 1_000_000;
    const sending = sdk.sendChunk("s", 0, new Uint8Array(1), ["bob"]).catch((error: unknown) => error);
    room.localParticipant.performRpc = () => new Promise(() => {});
    const asking = sdk.isHere("bob", 60_000);
    sdk.stop(new Error("stopped"));
    assert.match(String(await sending), "stopped");
    assert.equal([await asking, sent], [false, []]);
  }));

test("ClientRoom: whoever answers a call is present, whatever the answer", () =>
  withRoom(async ({ sdk, room }) => {
    for (const [code, isHere] of CODES) {
      room.localParticipant.code = code;
      assert.is(await sdk.isHere("bob", 60_000), isHere, String(code));
    }
    room.localParticipant.performRpc = () => new Promise(() => {});
    assert.is(await sdk.isHere("bob", 1), false);
  }));

test("ClientRoom: the Room sees no header of a Millrace stream, and all other packets", () =>
  withRoom(({ room, told }) => {
    assert.equal(room.receive(header("ours", { [OWN_ATTRIBUTE]: "1" })).value, {});
    const chunk = { case: "streamChunk", value: { streamId: "ours", chunkIndex: 0n, content: new Uint8Array(2) } };
    assert.equal(room.receive(chunk).value, chunk);
    const user = { case: "user", value: { payload: new Uint8Array(1) } };
    assert.equal(room.receive(user).value, user);
    assert.equal(told, ["header ours", "opened ours", "chunk ours"]);
  }));

test("ClientRoom: takes the SDK's reader of another SDK's stream, and leaves the topic as it was", () =>
  withRoom(async ({ room, told, sdk, reading }) => {
    const manager = room.incomingDataStreamManager;
    manager.readers.push(readerOf(["hé", "llo"], { sent: "later" }));
    assert.equal(room.receive(header("theirs")).value, {});
    assert.equal([manager.textStreamHandlers.size, told.includes("registered")], [0, false]);
    await until(() => reading.length === 3);
    assert.equal(reading, ["hé", "llo", 'end {"sent":"later"}']);
    sdk.handler("text", "t");
  }));

test("ClientRoom: the SDK gets no chunk of a stream that it reads here from anybody but the stream's sender", () =>
  withRoom(async ({ room, told, reading }) => {
    const packet = (name: string): FfiMessage => ({ case: name, value: { streamId: "theirs", chunkIndex: 0n, attributes: {} } });
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => goOn = resolve);
    room.incomingDataStreamManager.readers.push({
      info: {},
      async *[Symbol.asyncIterator]() {
        await gate;
        yield "a";
      },
    });
    room.receive(header("theirs"));
    for (const name of ["streamChunk", "streamTrailer"]) {
      assert.equal(room.receive(packet(name), "eve").value, {}, name);
      assert.is(room.receive(packet(name)).value.case, name);
    }
    assert.is(told.filter((each) => each === "chunk theirs").length, 2); // the transport's receiver goes by the sender
    goOn();
    await until(() => reading.length === 2);
    assert.is(room.receive(packet("streamChunk"), "eve").value.case, "streamChunk"); // the id is free again
  }));

test("ClientRoom: a stream stays the Room's if the Room has a handler for it", () =>
  withRoom(({ room, told }) => {
    const handler = (): void => {};
    room.incomingDataStreamManager.textStreamHandlers.set("t", handler);
    const { value } = room.receive(header("theirs"));
    assert.is(value.case, "streamHeader");
    assert.is(room.incomingDataStreamManager.textStreamHandlers.get("t"), handler);
    assert.equal(told, ["registered text", "header theirs", "opened theirs"]);
  }));

test("ClientRoom: a reader that was stopped is emptied, so that the SDK gathers nothing", () =>
  withRoom(async ({ room, reading, stop }) => {
    const parts = new Map([[0, "a"], [1, "b"], [2, "c"]]);
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => goOn = resolve);
    room.incomingDataStreamManager.readers.push({
      info: {},
      async *[Symbol.asyncIterator]() {
        for (const [at, part] of parts) {
          if (at === 1) await gate;
          parts.delete(at);
          yield part;
        }
      },
    });
    room.receive(header("theirs"));
    await until(() => reading.length === 1);
    stop();
    goOn();
    await until(() => parts.size === 0);
    assert.equal(reading, ["a"]);
  }));

test("ClientRoom: a participant with another sid is a new one for everybody", () =>
  withRoom(({ room, told }) => {
    room.engine?.emit("participantUpdate", [
      { identity: "bob", sid: "PA_new", state: 2 },
      { identity: "alice", sid: "PA_alice", state: 2 },
      { identity: "carol", sid: "PA_carol", state: 3 }, // has left
      { identity: "", sid: "PA_hidden", state: 2 },
    ]);
    assert.equal(told, ["joined bob"]);
    room.emit("reconnected");
    room.localParticipant.sid = "PA_other";
    room.emit("reconnected");
    assert.equal(told.slice(1), ["reconnected false", "reconnected true"]);
  }));

test("ClientRoom: leaves no listener on the Room and its engine, nor a changed map", () =>
  withRoom(({ room, sdk }) => {
    sdk.stop(new Error("the end"));
    assert.equal([room.eventNames(), room.engine?.eventNames()], [[], []]);
    const { textStreamHandlers, byteStreamHandlers } = room.incomingDataStreamManager;
    assert.not(Object.hasOwn(textStreamHandlers, "set"));
    assert.not(Object.hasOwn(byteStreamHandlers, "set"));
  }));

test("ClientRoom: a request fails as closed with another engine, as lost while the Room reconnects", () =>
  withRoom(({ room, sdk }) => {
    assert.is(sdk.connectionAfter(), "open");
    room.state = "reconnecting";
    assert.is(sdk.connectionAfter(), "lost");
    room.engine = undefined;
    assert.is(sdk.connectionAfter(), "closed");
  }));

test.run();

interface Parts {
  readonly room: FakeClientRoom;
  readonly sdk: ClientRoom;
  readonly sent: NonNullable<FakeClientRoom["engine"]>["sent"];
  readonly channel: NonNullable<FakeClientRoom["engine"]>["channel"];
  /** Names of the events, each with its first word. */
  readonly told: string[];
  /** Parts and ends of the SDK's readers. */
  readonly reading: string[];
  /** Stops the readers. */
  readonly stop: () => void;
}

async function withRoom(body: (parts: Parts) => void | Promise<void>): Promise<void> {
  const room = new FakeClientRoom();
  const engine = room.engine as NonNullable<typeof room.engine>;
  const sdk = new ClientRoom(room);
  const [told, reading]: [string[], string[]] = [[], []];
  const stops: (() => void)[] = [];
  const events: Partial<SdkEvents> = {
    opened({ streamId, attributes }, _from, reader, handled) {
      told.push(`opened ${streamId}`);
      if (handled) return "room";
      if (Object.hasOwn(attributes, OWN_ATTRIBUTE)) return "nowhere";
      stops.push(() => reader.stop());
      reader.read({
        chunk: (content) => void reading.push(new TextDecoder().decode(content)),
        end: (attributes) => void reading.push(`end ${JSON.stringify(attributes)}`),
      });
      return "here";
    },
    header: ({ streamId }) => void told.push(`header ${streamId}`),
  };
  const others = (name: string) => (word = "") => void told.push(`${name} ${word}`.trim());
  sdk.listen(new Proxy(events, { get: (given, name) => Reflect.get(given, name) ?? others(String(name)) }) as SdkEvents);
  try {
    await body({
      room,
      sdk,
      sent: engine.sent,
      channel: engine.channel,
      told,
      reading,
      stop: () => stops.forEach((stop) => stop()),
    });
  } finally {
    sdk.stop(new Error("the test is over"));
  }
}

function header(streamId: string, attributes: Record<string, string> = {}): FfiMessage {
  const contentHeader = { case: "textHeader", value: { attachedStreamIds: [] } };
  return {
    case: "streamHeader",
    value: { streamId, timestamp: 1n, mimeType: "text/plain", topic: "t", attributes, contentHeader },
  };
}

function readerOf(parts: readonly string[], attributes: Record<string, string>): ClientReader {
  return {
    info: { attributes },
    async *[Symbol.asyncIterator]() {
      yield* parts;
    },
  };
}
