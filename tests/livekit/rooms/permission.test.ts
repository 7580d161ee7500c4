// Limits of a participant's sends: its token, a later decision of the server, the size.
import { RoomServiceClient } from "livekit-server-sdk";
import * as assert from "uvu/assert";
import type { StreamError } from "../../../errors.ts";
import { suite } from "../../support/harness.ts";
import { rejection } from "../../support/rejections.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { all, Pair } from "../../support/livekit/pair.ts";
import { FAULT_LIMITS, KINDS } from "../../support/livekit/traffic.ts";

const test = suite("permission");
const rooms = await LiveKitRooms.start();
const { url, key, secret } = rooms.server;
const service = new RoomServiceClient(url.replace(/^ws/, "http"), key, secret);

async function permit(room: string, canPublishData: boolean): Promise<void> {
  await service.updateParticipant(room, "alice", { permission: { canPublish: true, canSubscribe: true, canPublishData } });
}

test("canPublishData: a participant without permission cannot send, but can receive", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.adopt(await fixture.plain("alice", { canPublishData: false }), { limits: FAULT_LIMITS });
    const bob = await fixture.join("bob", { limits: FAULT_LIMITS });
    const error = await rejection(() => alice.runtime.sendText("hello"), "transport");
    assert.match(error.message, "canPublishData");
    await rejection(() => alice.runtime.sendBytes(new Uint8Array(100_000)), "transport");
    const received = new Promise<Uint8Array>((resolve, reject) => {
      alice.runtime.registerByteStreamHandler("numbers", (reader) => void reader.readAll().then(resolve, reject));
    });
    const content = new Uint8Array(100_000).fill(7);
    const { receipts } = await bob.runtime.sendBytes(content, { topic: "numbers", destinationIdentities: ["alice"] });
    assert.equal(receipts, [], "it cannot confirm");
    assert.equal(await received, content);
  }));

test("canPublishData: may be revoked while streams are open, and granted again", () =>
  Pair.underWay(rooms, async (pair) => {
    await permit(pair.fixture.name, false);
    const { sentByAlice, receivedByAlice, ...atBob } = await pair.outcome();
    assert.is(sentByAlice.text, "transport");
    // Bulk that waits for Bob's states sends nothing meanwhile.
    for (const kind of KINDS) assert.ok(["transport", "timeout"].includes(sentByAlice[kind]), sentByAlice[kind]);
    assert.equal(atBob, { receivedByBob: all("disconnected"), sentByBob: all("disconnected") });
    // Bob takes Alice for gone and sends no more states. To her earlier questions he answers that the streams are unknown.
    for (const kind of KINDS) assert.ok(["timeout", "incomplete"].includes(receivedByAlice[kind]), receivedByAlice[kind]);
    await rejection(() => pair.alice.runtime.sendText("hello"), "transport");
    await permit(pair.fixture.name, true);
    while (await pair.alice.runtime.sendText("may I").then(() => false, ({ code }: StreamError) => code === "transport"));
    await pair.assertAlive();
  }), { seconds: 40 });

test("headerBytes: a header over 15,000 bytes is refused before the send, and nothing else is", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice", { limits: { ...FAULT_LIMITS, attributeBytes: 60_000, headerBytes: 60_000 } });
    const bob = await fixture.join("bob", { limits: FAULT_LIMITS });
    await fixture.acquaint(alice, bob);
    const target = { topic: "numbers", destinationIdentities: ["bob"] };
    const error = await rejection(
      () => alice.runtime.sendText("hello", { ...target, attributes: { large: "x".repeat(15_000) } }),
      "transport",
    );
    assert.match(error.message, "15");
    const received = new Promise<string>((resolve, reject) => {
      bob.runtime.registerTextStreamHandler("numbers", (reader) => void reader.readAll().then(resolve, reject));
    });
    await alice.runtime.sendText("hello", target);
    assert.is(await received, "hello");
  }));

test.after(() => rooms.close());
test.run();
