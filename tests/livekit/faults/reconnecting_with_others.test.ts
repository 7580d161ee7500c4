// Reconnecting between a Millrace runtime whose connection is lost and a participant that uses LiveKit's SDK plainly.
import * as assert from "uvu/assert";
import type { StreamError } from "../../../errors.ts";
import { suite } from "../../support/harness.ts";
import { bytesOf, told } from "../../support/peers/contents.js";
import { type LiveKitRoom, LiveKitRooms, type Member } from "../../support/livekit/livekit_rooms.ts";
import { type SdkPeer, startPeer } from "../../support/peers/sdk_peer.ts";
import { assertInTime } from "../../support/livekit/pair.ts";
import { RoomEvent, SimulateScenarioKind } from "../../support/livekit/rooms.ts";
import { FAULT_LIMITS } from "../../support/livekit/traffic.ts";
import { until } from "../../support/waiting.ts";

const test = suite("reconnecting with other SDKs");
const rooms = await LiveKitRooms.start();

/** Bytes that take long enough for a fault midway. */
const TO_ALICE = { length: 2_000_000, seed: 1 };
const TO_PLAIN = { length: 2_000_000, seed: 2 };
const PIECE_BYTES = 50_000;

test(
  "reconnecting with other SDKs: a resumed connection loses nothing",
  () =>
    underWay(async (fixture, alice, plain, { sending, receiving }) => {
      const reconnected = new Promise<void>((resolve) => alice.room.once(RoomEvent.Reconnected, () => resolve()));
      await fixture.step(
        "the SDK to lose its connection",
        alice.room.simulateScenario(SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT),
      );
      await fixture.step("the SDK to resume it", reconnected);
      assert.is(await fixture.step("what is sent", sending), "whole");
      assert.ok(equal(await fixture.step("what is received", receiving), bytesOf(TO_ALICE)));
      const { content, error } = await fixture.step("the other SDK's word of it", plain.received());
      assert.is(error, undefined);
      assert.equal(content, await told([bytesOf(TO_PLAIN)]));
    }),
  { seconds: 40 },
);

test(
  "reconnecting with other SDKs: a new connection ends streams at both ends, and new ones work",
  () =>
    underWay(async (fixture, alice, plain, { sending, receiving }) => {
      const reconnected = new Promise<void>((resolve) => alice.room.once(RoomEvent.Reconnected, () => resolve()));
      await fixture.step(
        "the SDK to lose its connection",
        alice.room.simulateScenario(SimulateScenarioKind.SIMULATE_FULL_RECONNECT),
      );
      assert.is(await fixture.step("what is sent to end", sending), "disconnected");
      const ending = receiving.then(() => "whole", ({ code }: StreamError) => code);
      assert.is(await fixture.step("what is received to end", assertInTime(ending)), "disconnected");
      const { error } = await fixture.step("the other SDK's word of its end", plain.received());
      assert.ok(error !== undefined);
      await fixture.step("the SDK to connect anew", reconnected);
      await fixture.step("news of the other", until(() => alice.room.remoteParticipants.has("plain")));
      await fixture.step("the other to listen", plain.listen("text", "again"));
      await fixture.step("a text", alice.runtime.sendText("hello", { topic: "again", destinationIdentities: ["plain"] }));
      assert.equal((await fixture.step("the other SDK's word of the text", plain.received())).content, await told("hello"));
    }, { endless: true }),
  { seconds: 40 },
);

test.after(() => rooms.close());
test.run();

interface UnderWay {
  /** End of Alice's stream, at Alice. */
  readonly sending: Promise<string>;
  /** Contents that have come to Alice. */
  readonly receiving: Promise<Uint8Array>;
}

/** Runs a body while Alice and another SDK send to each other; `endless` streams last until they fail. */
async function underWay(
  body: (fixture: LiveKitRoom, alice: Member, plain: SdkPeer, streams: UnderWay) => Promise<void>,
  { endless = false } = {},
): Promise<void> {
  await rooms.in(async (fixture) => {
    const alice = await fixture.join("alice", { limits: FAULT_LIMITS });
    const access = { url: fixture.server.url, token: await fixture.server.token("plain", fixture.name) };
    await using plain = await fixture.step("the other SDK to start", startPeer("rtc-node-1", access));
    await fixture.step("news of the other", until(() => alice.room.remoteParticipants.has("plain")));
    // The server tells of a participant seconds late, and not of the end of a connection that it had not told of.
    await fixture.step("the other to have news of Alice", until(async () => (await plain.participants()).includes("alice")));
    await fixture.step("the other to listen", plain.listen("bytes", "to plain"));
    await plain.record();
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => begin = resolve);
    const receiving = new Promise<Uint8Array>((resolve, reject) => {
      alice.runtime.registerByteStreamHandler("to alice", async (reader) => {
        begin();
        await reader.readAll().then(resolve, reject);
      });
    });
    receiving.catch(() => {}); // looked at by the body
    const options = { topic: "to alice", destinationIdentities: ["alice"] };
    const fromPlain = endless ? plain.streamBytes([TO_ALICE], options, false) : plain.sendFile(TO_ALICE, options);
    fromPlain.catch(() => {}); // it may have been cut off
    let sendBegan: () => void = () => {};
    const sent = new Promise<void>((resolve) => sendBegan = resolve);
    const sending = alice.runtime.sendBytes(endless ? endlessPieces() : pieces(), {
      topic: "to plain",
      destinationIdentities: ["plain"],
      onProgress: ({ bytes }) => {
        if (bytes > PIECE_BYTES) sendBegan();
      },
    }).then(() => "whole", ({ code }: StreamError) => code);
    await fixture.step("both streams to be under way", Promise.all([begun, sent]));
    // A stream of which the other SDK had no header would not end there.
    const arrived = (kind: "header" | "chunk"): boolean => plain.seen("packet").some((packet) => packet.kind === kind);
    await fixture.step("Alice's stream to arrive", until(() => arrived("header") && arrived("chunk")));
    await body(fixture, alice, plain, { sending, receiving });
  });
}

/** Writes no quicker than the connection is lost. */
async function* pieces(): AsyncGenerator<Uint8Array> {
  const content = bytesOf(TO_PLAIN);
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    yield content.subarray(at, at + PIECE_BYTES);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Writes until its stream fails, however late the connection is lost. */
async function* endlessPieces(): AsyncGenerator<Uint8Array> {
  for (;;) yield* pieces();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
