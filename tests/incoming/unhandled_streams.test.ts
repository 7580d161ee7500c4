// Targeted streams that a receiver does not take are reported at both ends, however they were sent. Broadcasts are not.
import * as assert from "uvu/assert";
import type { Runtime, StreamOptions } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";

const test = suite("streams without a handler");

const TO_BOB = { topic: "nobody", destinationIdentities: ["bob"] };

/** Ways to send a stream; each settles in any case. */
const WAYS: Record<string, (runtime: Runtime, room: HubFixture, options: StreamOptions) => Promise<unknown>> = {
  "a short text": (runtime, _, options) => runtime.sendText("x", options),
  "an empty text": (runtime, _, options) => runtime.sendText("", options),
  "a long text": (runtime, _, options) => runtime.sendText("x".repeat(40_000), options),
  "few bytes": (runtime, _, options) => runtime.sendBytes(pattern(1), options),
  "many bytes": (runtime, _, options) => runtime.sendBytes(pattern(400_000), options),
  "a blob": (runtime, _, options) => runtime.sendBytes(new Blob(["x"]), options),
  "a written text": async (runtime, room, options) => {
    const writer = await runtime.streamText(options);
    await writer.write("x");
    await writer.close();
    await room.time.advance(0);
  },
  "written bytes": async (runtime, _, options) => {
    const writer = await runtime.streamBytes(options);
    await writer.write(pattern(20_000));
    await writer.close();
  },
};

/** Errors of `onError`: code and identity each. */
function told({ errors }: Member): string[] {
  return errors.map(({ code, identity }) => `${code} ${identity}`);
}

async function acquainted(body: (alice: Member, bob: Member, room: HubFixture) => Promise<void>): Promise<void> {
  await inVirtualPair(async (alice, bob, room) => {
    await room.time.advance(1_000);
    await body(alice, bob, room);
  });
}

for (const [way, send] of Object.entries(WAYS)) {
  for (const confirm of [true, false]) {
    test(`refused: ${way}, ${confirm ? "" : "not "}confirmed: both ends are told once, with topic and stream`, () =>
      acquainted(async (alice, bob, room) => {
        const streamId = "the stream";
        const outcome = send(alice.runtime, room, { ...TO_BOB, confirm, streamId }).then(
          () => "sent",
          ({ code }) => String(code),
        );
        const code = await room.time.run(outcome);
        if (confirm) assert.is(code, "refused");
        await room.time.advance(60_000);
        assert.equal([told(alice), told(bob)], [["refused bob"], ["refused alice"]]);
        for (const { errors } of [alice, bob]) {
          assert.match(errors[0]?.message ?? "", '"nobody"');
          assert.is(errors[0]?.streamId, streamId);
        }
      }));
  }
  test(`refused: ${way}, to all: nobody is told`, () =>
    acquainted(async (alice, bob, room) => {
      const { destinationIdentities: _, ...options } = TO_BOB;
      await room.time.run(send(alice.runtime, room, { ...options, confirm: false }));
      await room.time.advance(60_000);
      assert.equal([told(alice), told(bob)], [[], []]);
    }));
}

test("refused: one of several receivers without a handler is reported, the others get the stream", () =>
  acquainted(async (alice, bob, room) => {
    const carol = await room.join("carol");
    const texts: string[] = [];
    carol.runtime.registerTextStreamHandler("nobody", async (reader) => void texts.push(await reader.readAll()));
    await room.time.advance(1_000);
    for (const confirm of [true, false]) {
      const options = { topic: "nobody", destinationIdentities: ["bob", "carol"], confirm };
      await room.time.run(alice.runtime.sendText("x", options));
      const writer = await room.time.run(alice.runtime.streamText(options));
      await room.time.run(writer.write("y"));
      await room.time.advance(10_000);
      await room.time.run(writer.close());
    }
    await room.time.advance(10_000);
    assert.equal(texts, ["x", "y", "x", "y"]);
    assert.equal([told(alice), told(carol)], [Array(4).fill("refused bob"), []]);
    assert.equal(told(bob), Array(4).fill("refused alice"));
  }));

test("PendingRefusals: one text of a thousand that finds no handler is reported, long after they were sent", () =>
  acquainted(async (alice, bob, room) => {
    bob.runtime.registerTextStreamHandler("chat", async (reader) => void await reader.readAll());
    for (let i = 0; i < 1_000; i++) {
      const topic = i === 3 ? "nobody" : "chat";
      await room.time.run(alice.runtime.sendText("x", { topic, destinationIdentities: ["bob"], streamId: `${i}` }));
    }
    await room.time.advance(6_000);
    assert.equal(alice.errors.map(({ code, streamId }) => [code, streamId]), [["refused", "3"]]);
    assert.equal(told(bob), ["refused alice"]);
  }));

test("refused: a handler registered before or in time leaves nothing to report", () =>
  acquainted(async (alice, bob, room) => {
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    await room.time.run(alice.runtime.sendBytes(pattern(10), { ...TO_BOB, topic: "t", confirm: false }));
    await room.time.run(alice.runtime.sendText("x", TO_BOB));
    await room.time.advance(4_000);
    bob.runtime.registerTextStreamHandler("nobody", async (reader) => void await reader.readAll());
    await room.time.advance(60_000);
    assert.equal([told(alice), told(bob)], [[], []]);
  }));

test("refused: a stream over the receiver's limits is reported at the sender if no call rejects", () =>
  inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const bob = await room.join("bob", { limits: { nameBytes: 5, streamBytes: 100 } });
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll().catch(() => {}));
    await room.time.advance(1_000);
    const options = { topic: "t", destinationIdentities: ["bob"], confirm: false };
    await room.time.run(alice.runtime.sendBytes(pattern(1), { ...options, name: "longer" }));
    await room.time.run(alice.runtime.sendBytes(pattern(101), options));
    await room.time.advance(1_000);
    assert.equal(told(alice), ["refused bob", "too-large bob"]);
    assert.equal(told(bob), ["refused alice", "too-large alice"]);
  }));

test("PendingRefusals: forged states report nothing of streams not sent to their author, and nothing twice", () =>
  acquainted(async (alice, bob, room) => {
    const eve = room.raw("eve");
    eve.hello("alice");
    await room.time.advance(1_000);
    await room.time.run(alice.runtime.sendText("x", TO_BOB));
    await room.time.run(alice.runtime.sendText("x", { topic: "t", destinationIdentities: ["eve"] }));
    const row = { claim: "unclaimed", credit: 0, received: 0, taken: 0, end: "refused" } as const;
    for (let i = 0; i < 3; i++) {
      eve.state("alice", { receiving: [0, 1, 2, 77].map((sequence) => ({ ...row, sequence })) });
      await room.time.advance(1);
    }
    assert.equal(told(alice), ["refused eve"]);
    await room.time.advance(60_000);
    assert.equal([told(alice), told(bob)], [["refused eve", "refused bob"], ["refused alice"]]);
  }));

test("PendingRefusals: a receiver of an earlier version states no names, and is handled as before", () =>
  acquainted(async (_, bob, room) => {
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(1);
    eve.open("bob", "s", 0, { topic: "nobody" }); // its header says nothing of whether Bob was named
    eve.open("bob", "named", 1, { topic: "nobody", extension: { named: true } });
    await room.time.advance(6_000);
    assert.equal(bob.errors.map(({ streamId }) => streamId), ["named"]);
  }));

test.run();
