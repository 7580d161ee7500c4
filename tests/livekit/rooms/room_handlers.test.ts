// Topics that a program handles on its Room, as an agent session does: streams of Millrace runtimes go there, too.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { joined, pattern } from "../../support/bytes.ts";
import { collectTexts } from "../../support/handlers.ts";
import { heardBy, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { rejection } from "../../support/rejections.ts";
import { overhear } from "../../support/livekit/recorder.ts";

const test = suite("Room handlers");
const rooms = await LiveKitRooms.start();

const TO_ALL = {};
const TO_BOB = { destinationIdentities: ["bob"] };

for (const [whom, to] of [["all", TO_ALL], ["it", TO_BOB]] as const) {
  test(`Room handlers: get broadcasts and streams for ${whom} in any form, with receipts`, () =>
    rooms.in(async (fixture) => {
      const [alice, bob] = await fixture.acquaintedPair();
      const texts = heardBy(bob.room, "lk.chat");
      const files: { name: string; size: number | undefined; parts: Uint8Array[] }[] = [];
      const progress: unknown[] = [];
      bob.room.registerByteStreamHandler("files", (reader) => {
        reader.onProgress = (share) => void progress.push(share);
        const { name, totalSize: size } = reader.info;
        void reader.readAll().then((parts) => files.push({ name, size, parts }));
      });
      const chat = { ...to, topic: "lk.chat", confirm: true, attributes: { mood: "calm" } };
      const short = await alice.runtime.sendText("short", chat);
      const long = await alice.runtime.sendText("größe ".repeat(10_000), chat);
      const writer = await alice.runtime.streamText(chat);
      for (const token of ["to", "ken", "s"]) await writer.write(token);
      await writer.close();
      await alice.runtime.sendBytes(pattern(100_000), { ...to, topic: "files", name: "a.bin" });
      assert.equal([short.receipts, long.receipts], [[{ identity: "bob", bytes: 5 }], [{ identity: "bob", bytes: 80_000 }]]);
      await until(() => texts.length === 3 && files.length === 1);
      assert.equal(texts[0], { from: "alice", text: "short", attributes: { mood: "calm" } });
      assert.equal(texts.map(({ text }) => text.length), [5, 60_000, 6]);
      assert.equal(files.map(({ name, size }) => [name, size]), [["a.bin", 100_000]]);
      assert.equal(joined(files[0]?.parts ?? []), pattern(100_000));
      assert.is(progress.at(-1), 1);
    }));
}

test("Room handlers: the runtime's handler has precedence over the Room's, which may come and go", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const onRoom = heardBy(bob.room, "t");
    const onRuntime = collectTexts(bob.runtime, "t");
    const send = (text: string): Promise<unknown> => alice.runtime.sendText(text, { ...TO_BOB, topic: "t", confirm: true });
    await send("to the runtime");
    bob.runtime.unregisterTextStreamHandler("t");
    await send("to the Room");
    bob.room.unregisterTextStreamHandler("t");
    const packets = overhear(bob.room);
    const waiting = send("to whom comes");
    waiting.catch(() => {});
    await until(() => packets.some(({ what }) => what === "streamHeaderReceived"));
    const again = heardBy(bob.room, "t");
    await waiting;
    await until(() => again.length === 1);
    assert.equal([onRuntime, onRoom.map(({ text }) => text), again.map(({ text }) => text)], [
      ["to the runtime"],
      ["to the Room"],
      ["to whom comes"],
    ]);
  }));

test("Room handlers: a handler that cancels or fails cancels the stream", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const readFirst = async (reader: AsyncIterable<string>): Promise<void> => {
      for await (const part of reader) if (part !== "") break;
    };
    bob.room.registerTextStreamHandler("first", (reader) => void readFirst(reader));
    bob.room.registerByteStreamHandler("closed", (reader) => void reader.close());
    bob.room.registerByteStreamHandler("failing", () => {
      throw new Error("a handler that fails");
    });
    const to = { ...TO_BOB, confirm: true };
    await rejection(() => alice.runtime.sendText("long ".repeat(1_000_000), { ...to, topic: "first" }), "cancelled");
    await rejection(() => alice.runtime.sendBytes(pattern(5_000_000), { ...to, topic: "closed" }), "cancelled");
    await rejection(() => alice.runtime.sendBytes(pattern(5_000_000), { ...to, topic: "failing" }), "cancelled");
    assert.is(bob.errors.length, 1);
    assert.match(bob.errors[0]?.message ?? "", "a handler that fails");
  }));

test("Room handlers: a Room that was given back has its handlers to itself", () =>
  rooms.in(async (fixture) => {
    const bob = await fixture.join("bob");
    const { textStreamHandlers, byteStreamHandlers } = bob.room as unknown as Record<string, Map<string, unknown>>;
    assert.ok(Object.hasOwn(textStreamHandlers ?? {}, "set"));
    await bob.runtime.close();
    assert.not(Object.hasOwn(textStreamHandlers ?? {}, "set"));
    assert.not(Object.hasOwn(byteStreamHandlers ?? {}, "set"));
  }));

test.after(() => rooms.close());
test.run();
