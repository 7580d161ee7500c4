// One slow receiver delays neither the others nor a call for ever.
import * as assert from "uvu/assert";
import type { ReceivingState } from "../../protocol/wire/control.ts";
import { decodeHeader } from "../../protocol/wire/header.ts";
import type { LinkOptions } from "../../transports/hub/link_options.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime } from "../support/hub/hub_fixture.ts";
import type { RawParticipant } from "../support/hub/raw_participant.ts";

const test = suite("slow receivers");

const BYTES = 600_000;
const limits = { stallTimeout: 10_000 };

/** State of a receiver after a number of seconds. It sends one each second, so that it is never silent. */
type Says = (seconds: number, received: number) => Partial<ReceivingState>;

const WAYS: Readonly<Record<string, Says>> = {
  "raises its credit by a byte": (seconds) => ({ credit: 60_000 + seconds }),
  "raises its credit by a hundred bytes": (seconds) => ({ credit: 60_000 + 100 * seconds }),
  "gives no credit": () => ({ credit: 60_000 }),
  "takes all and never gives a receipt": (_, received) => ({ credit: 1e9, received, taken: received }),
  "grants all and takes nothing": (_, received) => ({ credit: 1e9, received, taken: 0 }),
  "grants more and more and takes nothing": (seconds, received) => ({ credit: 1e9 + seconds * 1e6, received, taken: 0 }),
  "takes a byte at a time": (seconds, received) => ({ credit: 1e9, received, taken: Math.min(seconds, received) }),
};

const LINES: Readonly<Record<string, LinkOptions | undefined>> = {
  "a direct hub": undefined,
  "a line": { kind: "reliable", delay: 10, rate: 5_000_000 },
};

/** Eve answers each stream as `says`, and acknowledges only if the case says so. */
function answer(room: HubFixture, eve: RawParticipant, says: Says, acknowledges: boolean): void {
  eve.react = (packet, from) => {
    if (packet.type !== "header") return;
    const { extension } = decodeHeader(packet.header) ?? {};
    const { streamId } = packet.header;
    if (extension === undefined) return;
    let seconds = 0;
    const tell = (): void => {
      const chunks = eve.of("chunk", streamId);
      const received = Math.floor(chunks.reduce((sum, { content }) => sum + content.length, 0) * 0.9);
      eve.state(from, {
        credit: 1e9,
        receiving: [{
          sequence: extension.sequence,
          claim: "claimed",
          credit: 0,
          received: 0,
          taken: 0,
          ...says(seconds, received),
        }],
      });
      if (acknowledges) {
        const about = eve.instances.get(from) ?? "";
        eve.control({
          kind: "ack",
          instance: eve.instance,
          about,
          streams: [{ sequence: extension.sequence, chunks: chunks.length }],
        }, from);
      }
      if (++seconds < 600) timers.add(room.time.setTimeout(tell, 1_000));
    };
    tell();
  };
}

/** Timers of the test's own. */
const timers = new Set<number>();

for (const [line, link] of Object.entries(LINES)) {
  for (const [way, says] of Object.entries(WAYS)) {
    for (const destinationIdentities of [undefined, ["bob", "eve"]]) {
      const to = destinationIdentities === undefined ? "a broadcast" : "a named stream";
      test(`stallTimeout: ${to} on ${line}: a receiver that ${way} is dropped, and the others get the whole stream`, async () => {
        await inVirtualTime(async (room) => {
          const alice = await room.join("alice", { limits });
          const bob = await room.join("bob");
          let whole = Infinity;
          bob.runtime.registerByteStreamHandler("t", async (reader) => {
            await reader.readAll();
            whole = room.time.now();
          });
          const eve = room.raw("eve");
          eve.hello("alice", { streamWindow: 60_000, credit: 1e9 });
          await room.time.advance(1_000);
          answer(room, eve, says, way !== "grants all and takes nothing");
          const begun = room.time.now();
          const options = { topic: "t", ...(destinationIdentities === undefined ? {} : { destinationIdentities }) };
          const { receipts } = await room.time.run(alice.runtime.sendBytes(pattern(BYTES), options), { limit: 200_000 });
          await room.time.advance(1); // a receipt is on its way before the handler has its array
          assert.ok(whole - begun < 60_000, `bob had it after ${whole - begun} ms`);
          assert.equal(receipts?.find(({ identity }) => identity === "bob"), { identity: "bob", bytes: BYTES });
          assert.is(receipts?.find(({ identity }) => identity === "eve")?.error, "timeout");
          for (const timer of timers) room.time.clearTimeout(timer);
          timers.clear();
        }, link === undefined ? {} : { link });
      });
    }
  }
}

test("stallTimeout: a sole receiver may be as slow as a hundredth of the rest in each stall time-out", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { limits });
    const bob = await room.join("bob");
    bob.runtime.registerTextStreamHandler("t", async (reader) => {
      for await (const part of reader) await new Promise<void>((resolve) => room.time.setTimeout(resolve, part.length / 2));
    });
    const writer = await room.time.run(alice.runtime.streamText({ topic: "t", destinationIdentities: ["bob"], confirm: true }));
    for (let i = 0; i < 60; i++) await room.time.run(writer.write("x".repeat(1_000)));
    await room.time.run(writer.close());
    assert.ok(room.time.now() > 25_000);
  });
});

test.run();
