// Ends of a runtime: its waits, their limits, and the results of calls and readers.
import { readdir } from "node:fs/promises";
import * as assert from "uvu/assert";
import { createRuntime, type TransportEvents } from "../../mod.ts";
import { altered } from "../support/hub/altered_transport.ts";
import { collectReaders, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { digestOf } from "../support/hub/raw_participant.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("runtime.close");

/** Virtual milliseconds that a runtime takes to close. */
async function closing(room: HubFixture, close: () => Promise<void>): Promise<number> {
  const before = room.time.now();
  await room.time.run(close());
  return room.time.now() - before;
}

test("runtime.close(): waits for nothing if no stream is open", () =>
  inVirtualPair(async (alice, bob, room) => {
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    await room.time.run(alice.runtime.sendBytes(pattern(100_000), TO_BOB));
    assert.is(await closing(room, () => alice.runtime.close()), 0);
    assert.is(room.time.pending, 0);
  }));

test("runtime.close(): waits at most a second for a transport that never closes", () =>
  inVirtualTime(async (room) => {
    const transport = altered(room.hub.join("alice"), () => ({ close: () => new Promise(() => {}) }));
    const alice = await room.join("alice", { transport });
    assert.is(await closing(room, () => alice.runtime.close()), 1_000);
    assert.is(alice.runtime.actor.getSnapshot().value, "closed");
  }));

test("runtime.close(): waits at most three seconds for a transport that takes no packets", () =>
  inVirtualTime(async (room) => {
    let stuck = false;
    const held: (() => void)[] = [];
    const transport = altered(room.hub.join("alice"), (own) => ({
      send: (packet, destinations) => stuck ? new Promise((resolve) => void held.push(resolve)) : own.send(packet, destinations),
      close: () => new Promise(() => {}),
    }));
    const alice = await room.join("alice", { transport });
    await room.join("bob");
    await room.time.advance(1_000);
    const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
    stuck = true;
    writer.write(pattern(500_000)).catch(() => {});
    await room.time.advance(20);
    const took = await closing(room, () => alice.runtime.close());
    assert.ok(took > 0 && took <= 3_000, `${took} ms`);
    await rejection(() => writer.write(pattern(1)), "aborted");
    stuck = false;
    for (const release of held.splice(0)) release(); // until then, what it was given must not change
    await room.time.advance(1);
  }));

test("runtime.close(): sends goodbye and the aborts of open streams before it closes the transport", () =>
  inVirtualTime(async (room) => {
    const sent: string[] = [];
    const transport = altered(room.hub.join("alice"), (own) => ({
      send: async (packet, destinations) => {
        await own.send(packet, destinations);
        await Promise.resolve();
        sent.push(packet.type);
      },
      close: () => {
        sent.push("close");
        return own.close();
      },
    }));
    const alice = await room.join("alice", { transport });
    const bob = await room.join("bob");
    const readers = collectReaders(bob.runtime);
    await room.time.advance(1_000);
    await room.time.run(alice.runtime.streamBytes(TO_BOB));
    await room.time.advance(1);
    await room.time.run(alice.runtime.close());
    assert.equal(sent.slice(-3), ["trailer", "control", "close"]);
    await rejection(() => readers[0]?.readAll(), "aborted");
  }));

test("runtime.close(): has removed unfinished saves when it resolves", () =>
  inTemporaryFolder((folder) =>
    inVirtualPair(async (alice, bob) => {
      const saves: Promise<unknown>[] = [];
      bob.runtime.registerByteStreamHandler("t", (reader) => {
        saves.push(reader.saveTo(`${folder}/`).catch((error: unknown) => error));
      });
      const writer = await alice.runtime.streamBytes({ ...TO_BOB, name: "a.bin" });
      await writer.write(pattern(300_000));
      // Files are written in real time.
      while ((await readdir(folder)).length === 0) await new Promise((resolve) => void setTimeout(resolve, 1));
      await bob.runtime.close();
      assert.equal(await readdir(folder), []);
      await rejection(async () => Promise.reject(await saves[0]), "disconnected");
    })
  ));

test("runtime: after the transport's end all streams fail with its reason, and no packet is sent or taken", () =>
  inVirtualTime(async (room) => {
    let events: TransportEvents | undefined;
    let sends = 0;
    const transport = altered(room.hub.join("alice"), (own) => ({
      open: (given) => {
        events = given;
        own.open(given);
      },
      send: (packet, destinations) => {
        sends++;
        return own.send(packet, destinations);
      },
    }));
    const alice = await room.join("alice", { transport });
    const bob = await room.join("bob");
    const readers = collectReaders(alice.runtime);
    await room.time.advance(1_000);
    const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
    const incoming = await room.time.run(bob.runtime.streamBytes({ ...TO_BOB, destinationIdentities: ["alice"] }));
    await room.time.advance(1);
    room.raw("dave");
    const outcomes: unknown[] = [];
    const waiting = alice.runtime.sendText("x", { destinationIdentities: ["dave"] });
    waiting.catch(({ code }: { code: string }) => void outcomes.push(code));
    await room.time.advance(0);
    assert.equal(outcomes, []);
    events?.closed(new Error("the cable is cut"));
    events?.closed(undefined);
    await room.time.advance(1);
    assert.equal(outcomes, ["disconnected"], "at once, not when the wait for a hello is over");
    const before = sends;
    for (const call of [() => writer.write(pattern(1)), () => alice.runtime.sendText("x"), () => alice.runtime.streamBytes()]) {
      const error = await rejection(call, "disconnected");
      assert.match(error.message, "the cable is cut");
    }
    await rejection(() => readers[0]?.readAll(), "disconnected");
    assert.is(alice.runtime.actor.getSnapshot().value, "closed");
    await room.time.run(bob.runtime.sendBytes(pattern(10), { topic: "t", confirm: false }));
    await room.time.advance(60_000);
    assert.is(readers.length, 1);
    assert.is(sends, before, "no keep-alive, no goodbye");
    await incoming.abort();
  }));

test("runtime.close(): packets that arrive meanwhile are dropped", () =>
  inVirtualTime(async (room) => {
    const alice = await room.join("alice", {
      transport: altered(room.hub.join("alice"), (own) => ({
        close: async () => {
          await new Promise<void>((resolve) => void room.time.setTimeout(resolve, 500));
          await own.close();
        },
      })),
    });
    const bob = await room.join("bob");
    let seen = 0;
    alice.runtime.registerTextStreamHandler("t", () => void seen++);
    await room.time.advance(1_000);
    const closed = alice.runtime.close();
    await room.time.advance(100);
    await room.time.run(bob.runtime.sendText("x", { topic: "t" }));
    await room.time.advance(100);
    assert.is(seen, 0);
    await rejection(() => alice.runtime.registerTextStreamHandler("u", () => {}), "closed");
    await room.time.run(closed);
    assert.equal(alice.errors, []);
  }));

test("limits: infinite time-outs set no timers, with any clock", () =>
  inVirtualTime(async (room) => {
    const delays: number[] = [];
    const clock = {
      setTimeout: (fn: () => void, ms: number): unknown => {
        delays.push(ms);
        return room.time.setTimeout(fn, ms);
      },
      clearTimeout: (id: unknown): void => {
        assert.ok(id !== undefined, "a timer that was never set is not cleared");
        room.time.clearTimeout(id);
      },
      now: () => room.time.now(),
    };
    const limits = { idleTimeout: Infinity, unclaimedTimeout: Infinity, stallTimeout: Infinity };
    const runtime = await createRuntime({ transport: room.hub.join("alice"), pool: false, clock, limits });
    const bob = await room.join("bob", { limits });
    await room.time.advance(1);
    await room.time.run(bob.runtime.sendText("x", { topic: "nobody" }));
    const writer = await room.time.run(runtime.streamText({ destinationIdentities: ["bob"] }));
    await room.time.run(writer.write("x"));
    await room.time.run(writer.close());
    await room.time.run(runtime.close());
    assert.ok(delays.length > 0);
    assert.equal(delays.filter((ms) => !(ms <= 2 ** 31 - 1)), []);
  }));

test("timers: none runs for a receiver without open streams", async () => {
  await inVirtualTime(async (room) => {
    const { runtime } = await room.join("alice");
    const eve = room.raw("eve");
    eve.hello("alice");
    await room.time.advance(1_000);
    const before = room.time.pending;
    const writer = await room.time.run(runtime.streamText({ topic: "t", destinationIdentities: ["eve"] }));
    assert.ok(room.time.pending > before);
    await room.time.run(writer.close());
    await room.time.advance(0);
    assert.is(room.time.pending, before);
  });
});

test("timers: none runs for a sender without open streams", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll().catch(() => {}));
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(1_000);
    const before = room.time.pending;
    for (const [sequence, code] of [undefined, "aborted"].entries()) {
      eve.open("bob", `s-${sequence}`, sequence);
      await room.time.advance(1);
      assert.ok(room.time.pending > before);
      eve.trailer("bob", `s-${sequence}`, {
        bytes: 0,
        chunks: 0,
        digest: digestOf(),
        ...(code === undefined ? {} : { code: "aborted" }),
      });
      await room.time.advance(1);
      assert.is(room.time.pending, before);
    }
  });
});

test.run();
