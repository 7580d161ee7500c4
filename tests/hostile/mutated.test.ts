// A recorded exchange, changed at random: no change breaks another stream.
import * as assert from "uvu/assert";
import type { Packet } from "../../protocol/wire/packets.ts";
import { copyPacket } from "../../transports/packet_size.ts";
import { createRandom } from "../../transports/hub/random.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("mutated packets");

test("IncomingStreamManager: 100,000 mutated packets do not harm another stream", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const recorded = await record();
  const random = createRandom(seed);
  try {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob");
      const alice = await room.join("alice");
      const eve = room.raw("eve");
      eve.hello("bob");
      const ends: Promise<unknown>[] = [];
      const received: Uint8Array[] = [];
      bob.runtime.registerByteStreamHandler("t", async (reader, sender) => {
        const all = reader.readAll().catch(() => undefined);
        ends.push(all);
        const bytes = await all;
        if (sender.identity === "alice" && bytes !== undefined) received.push(bytes);
      });
      bob.runtime.registerTextStreamHandler("t", (reader) => void ends.push(reader.readAll().catch(() => undefined)));
      const writer = await room.time.run(
        alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"], confirm: true }),
      );
      for (let i = 0; i < 100_000; i++) {
        const packet = recorded[Math.floor(random() * recorded.length)] as Packet;
        eve.send(mutate(packet, random), "bob");
        if (i % 5_000 === 0) {
          await room.time.run(writer.write(pattern(15_000, i)));
          await room.time.advance(1);
        }
      }
      await room.time.run(writer.close());
      assert.ok(ends.length > 20, `${ends.length} streams were opened`);
      await room.time.advance(600_000);
      await room.time.run(Promise.all(ends)); // every one of them ends
      assert.is(received.length, 1);
      assert.is(received[0]?.length, 300_000);
    });
  } catch (error) {
    throw new Error(`With seed ${seed}: ${String(error)}`, { cause: error });
  }
}, { seconds: 8 });

/** A real exchange, as Bob gets it. */
async function record(): Promise<Packet[]> {
  const packets: Packet[] = [];
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const eve = room.raw("bob");
    eve.react = (packet) => void packets.push(copyPacket(packet));
    eve.hello("alice");
    await room.time.advance(1);
    const to = { topic: "t", destinationIdentities: ["bob"], confirm: false };
    await room.time.run(alice.runtime.sendBytes(pattern(40_000), to));
    await room.time.run(alice.runtime.sendText("a text of some length, und ein wenig mehr", { ...to, attributes: { a: "b" } }));
    const writer = await room.time.run(alice.runtime.streamText({ ...to, confirm: true }));
    await room.time.run(writer.write("one"));
    await room.time.advance(15_000);
    await room.time.run(writer.abort("enough"));
  });
  return packets;
}

function mutate(packet: Packet, random: () => number): Packet {
  const whole = (most: number): number => Math.floor(random() * most);
  switch (packet.type) {
    case "control":
      return { ...packet, payload: mutateBytes(packet.payload, random) };
    case "chunk":
      return {
        ...packet,
        index: whole(4) === 0 ? (random() - 0.2) * 2 ** whole(54) : packet.index + whole(3) - 1,
        content: mutateBytes(packet.content.subarray(0, whole(packet.content.length + 1)), random),
      };
    case "trailer":
    case "header":
      return { ...mutateValue({ ...packet, type: "" }, random, "type") as Packet, type: packet.type } as Packet;
  }
}

function mutateBytes(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = bytes.slice(0, random() < 0.1 ? Math.floor(random() * bytes.length) : bytes.length);
  for (let n = Math.floor(random() * 4); n > 0 && copy.length > 0; n--) {
    copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  }
  return copy;
}

const WILD: readonly unknown[] = [
  null,
  undefined,
  -1,
  NaN,
  2 ** 53,
  0.5,
  "",
  "x".repeat(3_000),
  {},
  [],
  true,
  "__proto__",
  "millrace",
];

/** A copy with random changes. `type` stays, as a transport knows no others. */
function mutateValue(value: unknown, random: () => number, key = ""): unknown {
  if (key !== "type" && random() < 0.04) return WILD[Math.floor(random() * WILD.length)];
  if (typeof value === "string" && key !== "type" && random() < 0.1) {
    const at = Math.floor(random() * value.length);
    return value.slice(0, at) + String.fromCharCode(Math.floor(random() * 128)) + value.slice(at + 1);
  }
  if (Array.isArray(value)) return value.map((item) => mutateValue(item, random));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mutateValue(item, random, name)]));
}

test.run();
