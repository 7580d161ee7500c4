// Memory after many streams is as before: a runtime's records of ended streams are bounded.
// By hand, for 100,000 streams: STREAMS=100000 node dist/tests/runtime/stream_leaks.test.js
import * as assert from "uvu/assert";
import type { AnyActorRef } from "xstate";
import { createHub, createRuntime, type Runtime } from "../../mod.ts";
import { heapUsed } from "../../bench/support/heap.ts";
import { suite } from "../support/harness.ts";
import { inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("stream leaks");

const STREAMS = Number(process.env["STREAMS"] ?? 1_600);

/** Streams before the first measurement: the records of ended ones, at most 4,096 refusals for each peer, are full by then. */
const WARM = 4_400;

/** Number of streams open at a time. */
const AT_ONCE = 20;

/** Number of measured spans: an engine's own growth falls into some of them, a leak into each. */
const SPANS = 4;

type Send = (alice: Runtime, index: number) => Promise<unknown>;

const LONG_ID = "i".repeat(5_000);

const SENDS: Readonly<Record<string, Send>> = {
  "short texts": (alice) => alice.sendText("x", { topic: "t", confirm: true, destinationIdentities: ["bob"] }),
  "streams with long ids that are refused": async (alice, index) => {
    const options = { topic: "t", streamId: `${LONG_ID}${index}`, confirm: true, destinationIdentities: ["bob"] };
    await alice.sendText("x", { ...options, attributes: { a: "1", b: "2" } }).then(
      () => assert.unreachable("it was taken"),
      () => {},
    );
  },
  "streams that are cancelled": async (alice) => {
    await alice.sendText("x".repeat(20_000), { topic: "c", confirm: true, destinationIdentities: ["bob"] }).catch(() => {});
  },
};

for (const [what, send] of Object.entries(SENDS)) {
  test(`heap: is as before after ${STREAMS} ${what}`, async () => {
    const hub = createHub();
    const options = { pool: false as const, onError: () => {} };
    const alice = await createRuntime({ transport: hub.join("alice"), ...options });
    const bob = await createRuntime({ transport: hub.join("bob"), ...options, limits: { attributes: 1 } });
    bob.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    bob.registerTextStreamHandler("c", async (reader) => await reader.cancel("no"));
    const many = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i += AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - i) }, (_, k) => send(alice, i + k)));
      }
    };
    const span = Math.floor(STREAMS / SPANS);
    await many(0, WARM);
    const heaps = [await heapUsed()];
    for (let i = 0; i < SPANS; i++) {
      await many(WARM + i * span, WARM + (i + 1) * span);
      heaps.push(await heapUsed());
    }
    await alice.close();
    await bob.close();
    if (heaps[0] === undefined) return assert.ok("Deno" in globalThis, "the heap cannot be seen");
    const left = heaps.slice(1).map((heap, i) => ((heap ?? 0) - (heaps[i] ?? 0)) / span);
    assert.ok(Math.min(...left) < 100, `${left.map((each) => each.toFixed(0)).join(", ")} bytes are left of each stream`);
  }, { seconds: 120 });
}

test("ActorIds: ids of actors, and event types that carry them, are as many as concurrent streams", async () => {
  const types = new Set<string>();
  const ids = new Set<string>();
  await inVirtualTime(async (room) => {
    const inspect = (event: { type: string; actorRef: unknown; event?: { type: string } }): void => {
      ids.add((event.actorRef as AnyActorRef).id);
      if (event.event !== undefined) types.add(event.event.type);
    };
    const alice = await room.join("alice", { inspect: inspect as never });
    const bob = await room.join("bob", { inspect: inspect as never });
    bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    for (let i = 0; i < 50; i++) {
      const sends = [1, 2, 3].map((n) => alice.runtime.sendText("x", { topic: "t", streamId: `${i}-${n}`, confirm: true }));
      await room.time.run(Promise.all(sends));
    }
  });
  assert.ok(ids.size <= 14, [...ids].join());
  assert.ok(types.size <= 30, [...types].join());
});

test.run();
