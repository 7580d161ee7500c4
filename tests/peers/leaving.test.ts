// Streams when a participant closes, vanishes or falls silent.
import * as assert from "uvu/assert";
import type { ByteStreamReader, Runtime } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText, nextWhole } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { pause, until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("leaving");

test("runtime.close(): aborts its writers, and ends its readers with disconnected", () =>
  inPair(async (alice, bob) => {
    const toBob = nextText(bob);
    const toAlice = nextBytes(alice);
    const text = await alice.streamText();
    await text.write("half");
    const binary = await bob.streamBytes({ destinationIdentities: ["alice"] });
    await binary.write(pattern(100));
    const bobReads = await toBob;
    const aliceReads = await toAlice;
    const reading = rejection(() => bobReads.readAll(), "aborted");
    await alice.close();
    await rejection(() => text.write("more"), "aborted");
    await rejection(() => text.close(), "aborted");
    await rejection(() => aliceReads.readAll(), "disconnected");
    await reading;
    await until(() => binary.actor.getSnapshot().value === "failed");
    await rejection(() => binary.write(pattern(1)), "disconnected");
  }));

test("runtime.close(): a stream it aborted is aborted for a later reader too", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.write("half");
    const reader = await heard;
    await alice.close();
    await pause(20);
    await rejection(() => reader.readAll(), "aborted");
  }));

for (const way of ["closes", "vanishes"] as const) {
  test(`onError: is told which named receivers ${way} while the stream goes on without them, once`, () =>
    inPair(async (alice, bob, room) => {
      const { runtime: carol } = await room.join("carol");
      const readers = [nextText(bob, "t"), nextText(carol, "t")];
      const writer = await alice.streamText({ topic: "t", destinationIdentities: ["bob", "carol"] });
      await writer.write("half, ");
      const [reader] = await Promise.all(readers);
      if (way === "closes") await carol.close();
      else room.hub.vanish("carol");
      await until(() => room.told("alice").length > 0);
      await writer.write("and the rest");
      await writer.close();
      assert.is(await reader?.readAll(), "half, and the rest");
      const told = room.told("alice").map(({ error, context }) => [error.code, context.identity, context.streamId]);
      assert.equal(told, [["disconnected", "carol", writer.info.streamId]]);
    }));
}

test("StreamReader: a stream sent whole before its sender closed can still be read", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    await alice.sendText("farewell", { topic: "t" });
    await alice.sendBytes(pattern(100_000), { topic: "b", confirm: false });
    await alice.close();
    assert.is(await (await texts).readAll(), "farewell");
    assert.equal(await (await bytes).readAll(), pattern(100_000));
  }));

for (const gone of ["bob", "alice"] as const) {
  test(`hub.vanish(): when ${gone} vanishes, the other end is disconnected`, () =>
    inPair(async (alice, bob, room) => {
      const heard = nextBytes(bob);
      const writer = await alice.streamBytes({ destinationIdentities: ["bob"] });
      await writer.write(pattern(100));
      const reader = await heard;
      const reading = rejection(() => reader.readAll(), "disconnected");
      room.hub.vanish(gone);
      await reading;
      await until(() => writer.actor.getSnapshot().value === "failed");
      const error = await rejection(() => writer.write(pattern(1)), "disconnected");
      if (gone === "bob") assert.is(error.identity, "bob");
    }));
}

test("runtime: calls after the transport's end are disconnected, after close() closed", () =>
  inPair(async (alice, bob, room) => {
    room.hub.vanish("alice");
    await until(() => alice.actor.getSnapshot().value === "closed");
    const calls = (runtime: Runtime): (() => unknown)[] => [
      () => runtime.streamText(),
      () => runtime.sendText("x"),
      () => runtime.streamBytes(),
      () => runtime.sendBytes(pattern(1)),
      () => runtime.sendFile("x"),
      () => runtime.registerTextStreamHandler("x", () => {}),
      () => runtime.registerByteStreamHandler("x", () => {}),
    ];
    for (const call of calls(alice)) await rejection(call, "disconnected");
    await bob.close();
    for (const call of calls(bob)) await rejection(call, "closed");
  }));

test("idleTimeout: a sender without keep-alives is a timeout", () =>
  inPair(async (alice, bob, { time, hub }) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.write("half");
    const reader = await heard;
    const reading = rejection(() => reader.readAll(), "timeout");
    hub.vanish("alice", { toldAfter: Infinity });
    await time.run(reading);
    assert.ok(time.now() >= 30_000 && time.now() <= 45_000, `after ${time.now()} ms`);
  }, { clock: "virtual" }));

test("idleTimeout: a sender that lives may pause as long as it likes", () =>
  inPair(async (alice, bob, { time }) => {
    const texts = collectTexts(bob, "t");
    const bytes = nextWhole(bob, "b");
    const writer = await alice.streamText({ topic: "t", confirm: true });
    const binary = await alice.streamBytes({ topic: "b" });
    await writer.write("let me think");
    await binary.write(pattern(70_000));
    await time.advance(3_600_000);
    await writer.write("… 42");
    await binary.write(pattern(70_000));
    await Promise.all([time.run(writer.close()), time.run(binary.close())]);
    assert.equal(texts, ["let me think… 42"]);
    assert.is((await bytes).length, 140_000);
  }, { clock: "virtual" }));

test("stallTimeout: a receiver that takes nothing is a timeout at the sender", () =>
  inPair(async (alice, bob, { time }) => {
    const heard = nextBytes(bob);
    const sending = rejection(() => alice.sendBytes(pattern(3_000_000), { destinationIdentities: ["bob"] }), "timeout");
    const reader: ByteStreamReader = await heard;
    await time.run(sending);
    assert.ok(time.now() >= 30_000 && time.now() <= 65_000, `after ${time.now()} ms`);
    await rejection(() => reader.readAll(), "timeout");
  }, { clock: "virtual" }));

test.run();
