// Timers of a stream end with it: a program whose streams have ended, and whose runtime is open, ends at once.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualPair, type Member } from "../support/hub/hub_fixture.ts";

const test = suite("timers of streams");

/** Sends that end within some milliseconds. */
const SENDS: Readonly<Record<string, (alice: Member) => Promise<unknown>>> = {
  "a text": ({ runtime }) => runtime.sendText("x", { topic: "t", confirm: true }),
  "bytes by name": ({ runtime }) => runtime.sendBytes(pattern(500_000), { topic: "t", destinationIdentities: ["bob"] }),
  "a broadcast that waits for its claims": ({ runtime }) => runtime.sendBytes(pattern(3_000_000), { topic: "t" }),
};

for (const [name, send] of Object.entries(SENDS)) {
  for (const [hub, options] of [["a direct hub", {}], ["a hub with links", { link: { kind: "reliable", delay: 2 } }]] as const) {
    test(`timers: after ${name} none is left on ${hub}`, () =>
      inVirtualPair(async (alice, bob, room) => {
        bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
        bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
        await room.time.run(send(alice)); // the runtimes know each other from here on
        await room.time.advance(10_000);
        const idle = room.time.pending;
        await room.time.run(send(alice));
        await room.time.advance(20);
        assert.ok(room.time.pending <= idle, `${room.time.pending} timers, ${idle} before`);
      }, options));
  }
}

test.run();
