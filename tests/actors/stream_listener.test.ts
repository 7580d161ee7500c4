// The listener actor: for text and for bytes alike.
import * as assert from "uvu/assert";
import { createActor, createMachine } from "xstate";
import { streamListener, type StreamReceivedEvent } from "../../actors/mod.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";

const test = suite("streamListener");

/** Starts a machine with a listener for a topic. Gives its events, and a call that stops it. */
function listen(
  bob: Member,
  kind: "text" | "bytes",
  options: { window?: number } = {},
): { told: StreamReceivedEvent[]; stop(): void } {
  const told: StreamReceivedEvent[] = [];
  const input = { runtime: bob.runtime, topic: "t", kind, options };
  const actor = createActor(createMachine({
    invoke: { src: streamListener, input },
    on: { "stream.received": { actions: ({ event }) => void told.push(event as unknown as StreamReceivedEvent) } },
  })).start();
  return { told, stop: () => void actor.stop() };
}

function send(room: HubFixture, alice: Member, kind: "text" | "bytes", more: object = {}): Promise<unknown> {
  const options = { topic: "t", destinationIdentities: ["bob"], confirm: false, ...more };
  const sent: Promise<unknown> = kind === "text"
    ? alice.runtime.sendText("x", options)
    : alice.runtime.sendBytes(pattern(1), options);
  return room.time.run(sent);
}

for (const kind of ["text", "bytes"] as const) {
  const other = kind === "text" ? "bytes" : "text";

  test(`streamListener: of ${kind} hands over each stream of its kind, with reader and sender, until it is stopped`, () =>
    inVirtualTime(async (room) => {
      const alice = await room.join("alice");
      const bob = await room.join("bob", { limits: { unclaimedTimeout: 50 } });
      await room.time.advance(1_000);
      const { told, stop } = listen(bob, kind);
      await send(room, alice, kind, { senderIdentity: "the bank" });
      await send(room, alice, other);
      await room.time.advance(1);
      assert.equal(told.map((event) => [event.type, event.kind, event.sender]), [
        ["stream.received", kind, { identity: "the bank", transportIdentity: "alice" }],
      ]);
      const reading: Promise<{ length: number }> | undefined = told[0]?.reader.readAll();
      assert.is((await room.time.run(reading ?? Promise.reject(new Error("No reader")))).length, 1);
      stop();
      await send(room, alice, kind);
      await room.time.advance(1_000);
      assert.is(told.length, 1);
      assert.equal(alice.errors.map(({ code }) => code), ["refused", "refused"]);
      if (kind === "text") bob.runtime.registerTextStreamHandler("t", () => {}); // its topic is free again
      else bob.runtime.registerByteStreamHandler("t", () => {});
    }));

  test(`streamListener: of ${kind} passes its options on`, () =>
    inVirtualTime(async (room) => {
      const bob = await room.join("bob");
      const eve = room.raw("eve");
      eve.hello("bob");
      await room.time.advance(1);
      const { stop } = listen(bob, kind, { window: 70_000 });
      eve.open("bob", "s", 0, { kind });
      await room.time.advance(1);
      assert.is(eve.statesFrom("bob").flatMap(({ receiving }) => receiving).at(-1)?.credit, 70_000);
      stop();
    }));

  test(`streamListener: of ${kind} fails if the topic has a handler, and leaves that handler in place`, () =>
    inVirtualPair(async (alice, bob, room) => {
      let seen = 0;
      bob.runtime.registerTextStreamHandler("t", () => void seen++);
      bob.runtime.registerByteStreamHandler("t", () => void seen++);
      const input = { runtime: bob.runtime, topic: "t", kind };
      const failing = createActor(createMachine({ invoke: { src: streamListener, input } }));
      const failed = new Promise<unknown>((resolve) => void failing.subscribe({ error: resolve }));
      failing.start();
      await rejection(async () => Promise.reject(await failed), "handler-exists");
      await room.time.advance(1_000);
      await send(room, alice, kind);
      await room.time.advance(1);
      assert.is(seen, 1);
    }));
}

test.run();
