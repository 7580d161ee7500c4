// The runtime's own calls: creation, handlers, end.
import * as assert from "uvu/assert";
import { createCodecPool, createHub, createRuntime, DEFAULT_LIMITS, STREAM_CHUNK_SIZE, StreamError } from "../../mod.ts";
import type { RuntimeOptions } from "../../mod.ts";
import { STREAM_ERROR_CODES } from "../../errors.ts";

import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextText, nextWhole } from "../support/handlers.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("runtime");

test("createRuntime: wrong options are invalid arguments", async () => {
  const transport = createHub().join("alice");
  const wrong: object[] = [
    {},
    { transport: null },
    { transport: {} },
    { transport, pool: true },
    { transport, pool: {} },
    { transport, onError: 5 },
    { transport, inspect: "x" },
    { transport, clock: {} },
    { transport, limits: 5 },
    { transport, limits: { unheardOf: 5 } },
    { transport, limits: { streams: -1 } },
    { transport, limits: { streams: "5" } },
    { transport, limits: { idleTimeout: NaN } },
    ...[0, 3, 60_001, 1.5, "15000", NaN].map((chunkSize) => ({ transport, chunkSize })),
  ];
  for (const options of [undefined, null, 5, "x", ...wrong]) {
    await rejection(() => createRuntime(options as RuntimeOptions), "invalid-argument");
  }
  const runtime = await createRuntime({ transport, limits: { idleTimeout: Infinity }, chunkSize: 60_000 });
  assert.is(runtime.identity, "alice");
  await runtime.close();
});

test("registerTextStreamHandler: a second handler for a topic is handler-exists; text and bytes are separate", () =>
  inPair(async (_, bob) => {
    bob.registerTextStreamHandler("x", () => {});
    bob.registerByteStreamHandler("x", () => {});
    await rejection(() => bob.registerTextStreamHandler("x", () => {}), "handler-exists");
    await rejection(() => bob.registerByteStreamHandler("x", () => {}), "handler-exists");
    bob.unregisterTextStreamHandler("x");
    bob.registerTextStreamHandler("x", () => {});
    await rejection(() => bob.registerByteStreamHandler("x", () => {}), "handler-exists");
    bob.unregisterByteStreamHandler("never registered");
  }));

test("registerTextStreamHandler: wrong arguments are invalid", () =>
  inPair(async (_, bob) => {
    for (const topic of [undefined, null, 5, {}]) {
      await rejection(() => bob.registerTextStreamHandler(topic as string, () => {}), "invalid-argument");
      await rejection(() => bob.registerByteStreamHandler(topic as string, () => {}), "invalid-argument");
      await rejection(() => bob.unregisterTextStreamHandler(topic as string), "invalid-argument");
      await rejection(() => bob.unregisterByteStreamHandler(topic as string), "invalid-argument");
    }
    for (const handler of [undefined, null, 5, {}]) {
      await rejection(() => bob.registerTextStreamHandler("x", handler as () => void), "invalid-argument");
      await rejection(() => bob.registerByteStreamHandler("x", handler as unknown as () => void), "invalid-argument");
    }
    for (const options of [null, 5, { window: 0 }, { window: -1 }, { window: "1" }, { window: 1.5 }]) {
      await rejection(() => bob.registerByteStreamHandler("x", () => {}, options as object), "invalid-argument");
    }
    bob.registerByteStreamHandler("x", () => {}, {});
  }));

test("runtime.close(): is idempotent, and may be called at any time", () =>
  inPair(async (alice) => {
    await Promise.all([alice.close(), alice.close()]);
    await alice.close();
    await alice[Symbol.asyncDispose]();
    assert.is(alice.actor.getSnapshot().value, "closed");
    assert.is(alice.identity, "alice");
    alice.unregisterTextStreamHandler("x");
  }));

test("runtime: is closed at the end of an await using scope", async () => {
  const hub = createHub();
  {
    await using runtime = await createRuntime({ transport: hub.join("alice") });
    assert.equal(hub.identities, [runtime.identity]);
  }
  assert.equal(hub.identities, []);
});

test("runtime.close(): a stream that is being opened rejects with closed", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    room.raw("dave"); // whose hello is waited for in vain
    const opening = rejection(() => alice.streamText(), "closed");
    const sending = rejection(() => alice.sendText("x"), "closed");
    await alice.close();
    await opening;
    await sending;
  }));

test("runtime.close(): closes only a pool that the runtime created", async () => {
  const pool = createCodecPool({ size: 1 });
  try {
    for (let round = 0; round < 2; round++) {
      await inPair(async (alice, bob) => {
        const received = nextWhole(bob);
        await alice.sendBytes(pattern(300_000, round));
        assert.equal(await received, pattern(300_000, round));
      }, { runtime: { pool } });
    }
  } finally {
    await pool.close();
  }
  await inPair(async (alice, bob) => {
    nextWhole(bob).catch(() => {});
    await rejection(() => alice.sendBytes(pattern(300_000)), "closed");
  }, { runtime: { pool } });
});

test("handlers: a stream finds none of another kind or topic", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const { runtime: bob } = await room.join("bob", { limits: { unclaimedTimeout: 20 } });
    bob.registerByteStreamHandler("x", () => {});
    bob.registerTextStreamHandler("y", () => {});
    await rejection(() => alice.sendText("x", { topic: "x", destinationIdentities: ["bob"], confirm: true }), "refused");
    await rejection(() => alice.sendBytes(pattern(1), { topic: "y", destinationIdentities: ["bob"] }), "refused");
  }));

test("limits: streams beyond them are refused or too-large at both ends, and others are not disturbed", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const { runtime: carol } = await room.join("carol");
    const { runtime: bob } = await room.join("bob", {
      limits: { streamBytes: 1_000, streamsPerSender: 2, attributes: 1, nameBytes: 3 },
    });
    const ends: string[] = [];
    bob.registerByteStreamHandler("", async (reader) => {
      await reader.readAll().then((all) => ends.push(`${all.length}`), (error) => ends.push(error.code));
    });
    bob.registerTextStreamHandler("held", () => {});
    const texts = collectTexts(bob, "t");
    const named = { destinationIdentities: ["bob"] };
    await alice.sendBytes(pattern(1_000), named);
    await rejection(() => alice.sendBytes(pattern(1_001), named), "too-large");
    const writer = await alice.streamBytes({ ...named, confirm: true });
    await writer.write(pattern(1_001));
    await rejection(() => writer.close(), "too-large");
    await rejection(
      () => alice.sendText("x", { ...named, topic: "t", attributes: { a: "1", b: "2" }, confirm: true }),
      "refused",
    );
    await rejection(() => alice.sendBytes(pattern(1), { ...named, name: "long" }), "refused");
    const held = [await alice.streamText({ ...named, topic: "held" }), await alice.streamText({ ...named, topic: "held" })];
    const controller = new AbortController();
    const oneMore = alice.sendText("one more", { ...named, topic: "t", confirm: true, signal: controller.signal });
    await carol.sendText("from another", { ...named, topic: "t", confirm: true });
    controller.abort();
    await rejection(() => oneMore, "aborted"); // it waited for its turn
    await held[0]?.abort();
    await until(() => held[0]?.actor.getSnapshot().value === "failed");
    assert.equal(ends, ["1000", "too-large"]);
    assert.equal(texts, ["from another"]);
    assert.ok(room.told("bob").some(({ error }) => error.code === "too-large"));
    assert.ok(room.told("bob").some(({ error }) => error.code === "refused"));
  }));

test("inspect: shows every actor, and the root actor knows the peers", () =>
  inRealTime(async (room) => {
    const seen = new Set<string | undefined>();
    const { runtime: bob } = await room.join("bob");
    const { runtime: alice } = await room.join("alice", {
      inspect: (event) => {
        if (event.type !== "@xstate.snapshot") return;
        seen.add((event.snapshot as { context?: { streamId?: string } }).context?.streamId);
      },
    });
    const texts = collectTexts(alice);
    const back = collectTexts(bob);
    await bob.sendText("to alice", { streamId: "one", confirm: true });
    await alice.sendText("to bob", { streamId: "two", confirm: true });
    assert.equal([texts, back], [["to alice"], ["to bob"]]);
    assert.ok(seen.has("one"), [...seen].join());
    assert.ok(seen.has("two"));
    assert.equal((alice.actor.getSnapshot().context as { peers: string[] }).peers, ["bob"]);
  }));

test("StreamWriter.actor, StreamReader.actor: have the states of the stream", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ confirm: true });
    const states: string[] = [];
    writer.actor.subscribe((snapshot) => {
      if (states.at(-1) !== snapshot.value) states.push(snapshot.value);
    });
    assert.is(writer.actor.getSnapshot().value, "open");
    await writer.write("x");
    assert.is(writer.actor.getSnapshot().value, "writing");
    const reader = await heard;
    assert.is(reader.actor.getSnapshot().value, "receiving");
    const closing = writer.close();
    assert.is(writer.actor.getSnapshot().value, "closing");
    await reader.readAll();
    assert.is(reader.actor.getSnapshot().value, "closed");
    await closing;
    assert.is(states.at(-1), "closed");
  }));

test("actor.stop(): ends the stream at both ends", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob, "out");
    const writer = await alice.streamText({ topic: "out", destinationIdentities: ["bob"] });
    await writer.write("x");
    const reader = await heard;
    assert.ok(alice.actor.getSnapshot().value === "open");
    const second = nextText(bob, "in");
    const other = await alice.streamText({ topic: "in", destinationIdentities: ["bob"] });
    const cancelled = await second;
    await cancelled.cancel();
    await until(() => other.actor.getSnapshot().value === "failed");
    await alice.close();
    await rejection(() => reader.readAll(), "aborted");
  }));

test("mod.ts: exported constants and codes have the documented values", () => {
  assert.is(STREAM_CHUNK_SIZE, 15_000);
  assert.equal(DEFAULT_LIMITS, {
    streamBytes: 5_000_000_000,
    readAllBytes: 256 * 1024 * 1024,
    streamsPerSender: 1_024,
    streams: 4_096,
    receiveWindow: 1024 * 1024,
    senderWindow: 16 * 1024 * 1024,
    totalWindow: 256 * 1024 * 1024,
    foreignQueue: 64 * 1024 * 1024,
    idleTimeout: 30_000,
    foreignIdleTimeout: 300_000,
    unclaimedTimeout: 5_000,
    unreadTimeout: 30_000,
    stallTimeout: 30_000,
    attributes: 2_500,
    attributeBytes: 15_000,
    nameBytes: 15_000,
    headerBytes: 15_000,
  });
  const codes = "closed aborted cancelled disconnected timeout incomplete too-large corrupt refused invalid-argument " +
    "handler-exists duplicate-stream unsafe-name file-exists file-error worker-lost transport";
  assert.equal([...STREAM_ERROR_CODES], codes.split(" "));
  const cause = new Error("why");
  const error = new StreamError("corrupt", "message", { cause, streamId: "s", identity: "i", reason: "r" });
  assert.equal([error.code, error.message, error.cause, error.streamId, error.identity, error.reason, error.name], [
    "corrupt",
    "message",
    cause,
    "s",
    "i",
    "r",
    "StreamError",
  ]);
});

test("Runtime.close(): sends nothing to the root actor once the transport has ended", async () => {
  const hub = createHub();
  const events: string[] = [];
  const alice = await createRuntime({ transport: hub.join("alice"), inspect: ({ type }) => void events.push(type) });
  const second = await createRuntime({ transport: hub.join("alice") }); // takes the identity over
  await until(() => alice.actor.getSnapshot().status === "done");
  events.length = 0;
  await alice.close();
  assert.equal(events, []);
  await second.close();
});

test.run();
