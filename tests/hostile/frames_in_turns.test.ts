// Many frames in one packet: handled in turns, so that no packet holds the event loop.
import * as assert from "uvu/assert";
import type { Fault } from "../../actors/incoming/fault.ts";
import { FRAMES_AT_ONCE, ReceiveBuffer } from "../../actors/incoming/receive_buffer.ts";
import { MemoryAccount, StreamMemory } from "../../protocol/memory_account.ts";
import { createSegmentStore } from "../../workers/segments.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { last } from "../support/handlers.ts";
import { withHostilePeer } from "../support/hub/hostile_peer.ts";
import { frame, framedDigest } from "../support/hub/raw_participant.ts";

const test = suite("frames in turns");

const FRAMES = 1_100;

const SHORTAGE: Fault = { code: "refused", why: "no memory" };

/** Frames of one byte each, in one content. */
function content(count: number, from = 0): Uint8Array {
  const parts = Array.from({ length: count }, (_, index) => frame(from + index, Uint8Array.of((from + index) % 251)));
  return joined(...parts);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function bytesOf(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => index % 251);
}

function digestOf(count: number): string {
  return framedDigest(...Array.from({ length: count }, (_, index) => Uint8Array.of(index % 251)));
}

function arrivals(limit = 1_000_000): { arrivals: ReceiveBuffer; memory: StreamMemory; faults: Fault[] } {
  const memory = new StreamMemory(new MemoryAccount(limit));
  const faults: Fault[] = [];
  const made: ReceiveBuffer = new ReceiveBuffer(true, createSegmentStore(), memory, {
    admit: () => "keep",
    framed: () => {},
    parsedLater: (fault) => fault !== undefined && faults.push(fault),
    shortage: SHORTAGE,
  });
  return { arrivals: made, memory, faults };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => void setImmediate(resolve));
}

test("ReceiveBuffer: of a packet with many frames, a few are handled at once, the rest kept and charged", async () => {
  const { arrivals: made, memory } = arrivals();
  const whole = content(FRAMES);
  assert.is(made.place(0, whole, 0), undefined);
  whole.fill(0); // it was the transport's
  assert.is(made.received, FRAMES_AT_ONCE);
  assert.ok(made.behind);
  assert.ok(memory.held > (whole.length * (FRAMES - FRAMES_AT_ONCE)) / FRAMES, `${memory.held} bytes are charged`);
  assert.is(made.place(1, content(5, FRAMES), 0), undefined);
  assert.is(made.received, FRAMES_AT_ONCE, "what comes later waits behind it");
  while (made.behind) await turns(1);
  assert.is(made.received, FRAMES + 5);
  const read: number[] = [];
  for (let piece = made.poll(); piece !== undefined; piece = made.poll()) {
    read.push(...piece.memory);
    made.drop(piece);
  }
  assert.equal(Uint8Array.from(read), bytesOf(FRAMES + 5));
  assert.is(memory.held, 0);
});

test("ReceiveBuffer: streams whose packets hold many frames take turns", async () => {
  const both = [arrivals().arrivals, arrivals().arrivals] as const;
  for (const each of both) each.place(0, content(FRAMES), 0);
  for (let i = 0; both.some(({ behind }) => behind) && i < 10_000; i++) {
    const [a, b] = both.map(({ received }) => received) as [number, number];
    assert.ok(Math.abs(a - b) <= 2 * FRAMES_AT_ONCE, `${a} and ${b}`);
    await turns(1);
  }
  assert.equal(both.map(({ received }) => received), [FRAMES, FRAMES]);
});

test("ReceiveBuffer: memory for waiting frames is refused by a full account, and free after close", async () => {
  const { arrivals: small, memory } = arrivals(20_000);
  assert.equal(small.place(0, content(FRAMES), 0), SHORTAGE);
  small.close();
  assert.is(memory.held, 0);
  const { arrivals: closed, memory: held, faults } = arrivals();
  closed.place(0, content(FRAMES), 0);
  closed.close();
  assert.is(held.held, 0);
  assert.not.ok(closed.behind);
  await turns(20);
  assert.is(closed.received, FRAMES_AT_ONCE);
  assert.equal(faults, []);
});

test("ReceiveBuffer: a stream of many frames per packet is whole, though its sender ends or leaves in the same turn", async () => {
  for (const leaves of [false, true]) {
    await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
      hostilePeer.open("bob", "a", 0, { extension: { format: "framed" } });
      hostilePeer.chunk("bob", "a", 0, content(FRAMES));
      hostilePeer.chunk("bob", "a", 1, content(FRAMES, FRAMES));
      hostilePeer.trailer("bob", "a", { bytes: 2 * FRAMES, chunks: 2, digest: digestOf(2 * FRAMES) });
      if (leaves) room.hub.vanish("eve");
      await room.time.advance(0);
      assert.equal(await room.time.run(last(readers).readAll()), bytesOf(2 * FRAMES));
      assert.equal(bob.errors, []);
    });
  }
});

const BAD: Readonly<Record<string, [content: Uint8Array, code: "corrupt" | "incomplete" | "too-large", size?: number]>> = {
  "no frame": [joined(content(FRAMES), pattern(200)), "corrupt"],
  "a frame that is not due": [joined(content(FRAMES), frame(5, pattern(10))), "corrupt"],
  "a frame with a wrong digest": [joined(content(FRAMES), frame(FRAMES, pattern(10), { digest: new Uint8Array(32) })), "corrupt"],
  "half a frame": [joined(content(FRAMES), frame(FRAMES, pattern(10)).subarray(0, 20)), "incomplete"],
  "more than was announced": [content(FRAMES + 1), "too-large", FRAMES],
};

for (const [what, [bad, code, size]] of Object.entries(BAD)) {
  test(`ReceiveBuffer: ${what} behind many frames of its packet: the stream ends, and no memory is held`, async () => {
    await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
      hostilePeer.open("bob", "a", 0, { ...(size === undefined ? {} : { size }), extension: { format: "framed" } });
      hostilePeer.chunk("bob", "a", 0, bad);
      hostilePeer.trailer("bob", "a", { bytes: FRAMES, chunks: 1, digest: digestOf(FRAMES) });
      await room.time.advance(0);
      await rejection(() => room.time.run(last(readers).readAll()), code);
      assert.is(bob.codec.segments.inUse, 0);
    });
  });
}

test.run();
