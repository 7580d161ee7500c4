// Actors for users' machines: their events, their ends, and an inspector's view.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { type AnyActorRef, assign, createActor, setup, toPromise, waitFor } from "xstate";
import {
  type BytesReceivedEvent,
  sendBytesActor,
  sendFileActor,
  type SendFileInput,
  sendTextActor,
  streamListener,
  type StreamListenerInput,
  type StreamProgressEvent,
  type StreamReceivedEvent,
  type TextReceivedEvent,
} from "../../actors/mod.ts";
import { StatePaths } from "../../examples/support/state_paths.ts";
import {
  type ByteStreamInfo,
  createHub,
  createRuntime,
  type Hub,
  type Runtime,
  type RuntimeOptions,
  StreamError,
} from "../../mod.ts";
import type { Codec } from "../../workers/codec.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import type { CodecPool } from "../../workers/pool/options.ts";
import { nextBytes } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inRealTime, type Member } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { macrotask, until } from "../support/waiting.ts";

const test = suite("millrace/actors");

/** Events and outputs that a parent of a sending actor has seen. */
interface Noted {
  readonly input: SendFileInput;
  readonly progress: readonly StreamProgressEvent[];
  readonly info: ByteStreamInfo | undefined;
  readonly error: unknown;
}

/** A parent that sends a file, and can be told to stop. */
const scheduler = setup({
  types: { input: {} as SendFileInput, context: {} as Noted, events: {} as StreamProgressEvent | { type: "enough" } },
  actors: { sendFileActor },
}).createMachine({
  context: ({ input }) => ({ input, progress: [], info: undefined, error: undefined }),
  initial: "sending",
  states: {
    sending: {
      invoke: {
        id: "report",
        src: "sendFileActor",
        input: ({ context }) => context.input,
        onDone: { target: "sent", actions: assign({ info: ({ event }) => event.output }) },
        onError: { target: "failed", actions: assign({ error: ({ event }) => event.error }) },
      },
      on: {
        "stream.progress": { actions: assign({ progress: ({ context, event }) => [...context.progress, event] }) },
        enough: "idle",
      },
    },
    idle: {},
    sent: {},
    failed: {},
  },
});

/** A parent that keeps the streams of its listener. */
const audience = setup({
  types: {
    input: {} as StreamListenerInput,
    context: {} as { input: StreamListenerInput; received: readonly StreamReceivedEvent[]; error: unknown },
    events: {} as StreamReceivedEvent | { type: "enough" },
  },
  actors: { streamListener },
}).createMachine({
  context: ({ input }) => ({ input, received: [], error: undefined }),
  initial: "listening",
  states: {
    listening: {
      invoke: {
        src: "streamListener",
        input: ({ context }) => context.input,
        onError: { target: "deaf", actions: assign({ error: ({ event }) => event.error }) },
      },
      on: {
        "stream.received": { actions: assign({ received: ({ context, event }) => [...context.received, event] }) },
        enough: "deaf",
      },
    },
    deaf: {},
  },
});

test("sendFileActor: tells its parent of its progress, and outputs the stream's info", () =>
  inInspectedPair(async ({ alice, bob }) => {
    await withFile(500_000, async (path) => {
      const bytes = new Promise<number>((resolve) => {
        bob.registerByteStreamHandler("reports", async (reader) => resolve((await reader.readAll()).length));
      });
      const parent = createActor(scheduler, { input: { runtime: alice, path, options: { topic: "reports" } } }).start();
      const { context } = await waitFor(parent, ({ value }) => value === "sent");
      assert.is(context.info?.name, "report.bin");
      assert.equal(context.info?.receipts, [{ identity: "bob", bytes: 500_000 }]);
      assert.ok(context.progress.every(({ id }) => id === "report"));
      assert.is(context.progress.at(-1)?.progress.percent, 100);
      assert.is(await bytes, 500_000);
    });
  }));

test("sendFileActor: calls the user's own onProgress as well", () =>
  inInspectedPair(async ({ alice }) => {
    const seen: number[] = [];
    const options = { onProgress: ({ bytes }: { bytes: number }) => void seen.push(bytes) };
    const info = await toPromise(
      createActor(sendBytesActor, { input: { runtime: alice, data: new Uint8Array(1000), options } }).start(),
    );
    assert.is(info.size, 1000);
    assert.is(seen.at(-1), 1000);
  }));

test("sender actors: an error is an event of the parent, with its code", () =>
  inInspectedPair(async ({ alice }) => {
    const parent = createActor(scheduler, { input: { runtime: alice, path: "no/such/file" } }).start();
    const { context } = await waitFor(parent, ({ value }) => value === "failed");
    assert.instance(context.error, StreamError);
    assert.is((context.error as StreamError).code, "file-error");
  }));

test("sender actors: leaving the invoking state aborts the stream at both ends", () =>
  inInspectedPair(async ({ alice, bob, states }) => {
    await withFile(5_000_000, async (path) => {
      const offered = nextBytes(bob, "reports");
      const options = { topic: "reports", streamId: "s" };
      const parent = createActor(scheduler, { input: { runtime: alice, path, options } }).start();
      const reader = await offered; // reads nothing, so that the sender waits
      parent.send({ type: "enough" });
      assert.is(parent.getSnapshot().value, "idle");
      const error = await rejection(() => reader.readAll(), "aborted");
      assert.is(error.identity, "alice");
      assert.is(parent.getSnapshot().context.error, undefined);
      assert.equal(states.find("s").map(({ path }) => path.at(-1)), ["failed", "failed"]);
    });
  }));

test("sender actors: the user's own signal aborts as well, and is the cause of the error", () =>
  inInspectedPair(async ({ alice, bob }) => {
    const offered = nextBytes(bob, "data");
    const abort = new AbortController();
    const options = { topic: "data", signal: abort.signal };
    const actor = createActor(sendBytesActor, { input: { runtime: alice, data: new Uint8Array(5_000_000), options } });
    const failed = outcome(actor);
    actor.start();
    const reader = await offered;
    abort.abort("lunch");
    const error = await rejection(() => failed, "aborted");
    assert.is(error.cause, "lunch");
    await rejection(() => reader.readAll(), "aborted");
  }));

test("sender actors: refuse a signal that is aborted already, and a value that is no signal", () =>
  inInspectedPair(async ({ alice }) => {
    for (const [signal, code] of [[AbortSignal.abort(), "aborted"], ["soon", "invalid-argument"]] as const) {
      const actor = createActor(sendTextActor, {
        input: { runtime: alice, text: "hi", options: { signal: signal as AbortSignal } },
      });
      const failed = outcome(actor);
      actor.start();
      await rejection(() => failed, code);
    }
  }));

test("sender actors: without a parent, they can be awaited, and subscribers get the error", () =>
  inInspectedPair(async ({ alice }) => {
    const good = createActor(sendTextActor, { input: { runtime: alice, text: "hello", options: { topic: "chat" } } }).start();
    assert.is((await toPromise(good)).size, 5);
    const bad = createActor(sendTextActor, {
      input: { runtime: alice, text: "hello", options: { destinationIdentities: ["nobody"] } },
    });
    const failed = outcome(bad);
    bad.start();
    await rejection(() => failed, "disconnected");
  }));

test("streamListener: hands over each stream of its topic until it is stopped", () =>
  inInspectedPair(async ({ alice, bob }) => {
    const parent = createActor(audience, { input: { runtime: bob, topic: "chat", kind: "text" } }).start();
    await alice.sendText("one", { topic: "chat" });
    await alice.sendText("elsewhere", { topic: "other", destinationIdentities: ["bob"] });
    await alice.sendText("two", { topic: "chat" });
    const { context } = await waitFor(parent, (snapshot) => snapshot.context.received.length === 2);
    const texts = await Promise.all(context.received.map(({ reader }) => (reader as TextReceivedEvent["reader"]).readAll()));
    assert.equal(texts, ["one", "two"]);
    assert.equal(context.received.map(({ kind, sender }) => [kind, sender.identity]), [["text", "alice"], ["text", "alice"]]);
    parent.send({ type: "enough" });
    bob.registerTextStreamHandler("chat", () => {}); // the topic is free again
  }));

test("streamListener: readers that were handed over outlive their listener", () =>
  inInspectedPair(async ({ alice, bob }) => {
    const parent = createActor(audience, { input: { runtime: bob, topic: "data", kind: "bytes" } }).start();
    const writer = await alice.streamBytes({ topic: "data" });
    await writer.write(new Uint8Array([1]));
    const { context } = await waitFor(parent, (snapshot) => snapshot.context.received.length === 1);
    parent.stop();
    await writer.write(new Uint8Array([2]));
    await writer.close();
    assert.equal(await (context.received[0] as BytesReceivedEvent).reader.readAll(), new Uint8Array([1, 2]));
  }));

test("streamListener: cancels a stream that arrives as the listener is stopped", () =>
  inInspectedPair(async ({ alice, bob, states }) => {
    const parent = createActor(audience, { input: { runtime: bob, topic: "data", kind: "bytes" } }).start();
    // Stops the listener between the stream's claim and the handler's turn.
    bob.actor.system.inspect((event) => {
      if (event.type === "@xstate.event" && event.event.type === "handler.found") parent.stop();
    });
    const writer = await alice.streamBytes({ topic: "data", streamId: "late", destinationIdentities: ["bob"] });
    const error = await rejection(async () => {
      for (;;) await writer.write(new Uint8Array(60_000));
    }, "cancelled");
    assert.is(error.reason, "nobody listens any more");
    assert.is(parent.getSnapshot().context.received.length, 0);
    assert.ok(states.find("late").every(({ path }) => path.at(-1) === "failed"));
  }));

test("streamListener: fails if the topic has a handler already or the runtime is closed", () =>
  inInspectedPair(async ({ bob }) => {
    bob.registerTextStreamHandler("chat", () => {});
    const input = { runtime: bob, topic: "chat", kind: "text" } as const;
    const second = createActor(audience, { input }).start();
    assert.is((second.getSnapshot().context.error as StreamError).code, "handler-exists");
    second.stop();
    await rejection(() => bob.registerTextStreamHandler("chat", () => {}), "handler-exists"); // the first keeps it
    await bob.close();
    const third = createActor(audience, { input }).start();
    assert.is((third.getSnapshot().context.error as StreamError).code, "closed");
  }));

test("streamListener: without a parent, streams are handed to nobody", () =>
  inInspectedPair(async ({ bob }) => {
    const alone = createActor(streamListener, { input: { runtime: bob, topic: "chat", kind: "text" } });
    const failed = outcome(alone);
    alone.start();
    await rejection(() => failed, "invalid-argument");
  }));

test("inspect: shows the root actor and every stream's actor, in each of its states", () =>
  inInspectedPair(async ({ alice, bob, states, seen }) => {
    bob.registerTextStreamHandler("chat", async (reader) => void await reader.readAll());
    const writer = await alice.streamText({ topic: "chat", streamId: "t", confirm: true });
    await writer.write("hello");
    await writer.close();
    assert.equal(states.find("t"), [
      { identity: "alice", path: ["open", "writing", "closing", "closed"] },
      { identity: "bob", path: ["offered", "receiving", "closed"] },
    ]);
    assert.ok(seen.has(alice.actor));
    assert.ok(seen.has(writer.actor));
    assert.is(alice.actor.getSnapshot().value, "open");
  }));

test("inspect: an inspector that throws is reported, and the streams go on", async () => {
  const hub = createHub();
  const failure = new Error("the inspector's own");
  const causes: unknown[] = [];
  const alice = await createRuntime({
    transport: hub.join("alice"),
    pool: false,
    onError: ({ cause }) => void causes.push(cause),
    inspect: () => {
      throw failure;
    },
  });
  const info = await alice.sendText("hello");
  await alice.close();
  assert.is(info.size, 5);
  assert.ok(causes.length > 0);
  assert.ok(causes.every((cause) => cause === failure));
});

test("sender actors: stopped at any moment, both ends end alike and no memory stays in use", () =>
  inInspectedPair(async ({ hub, alice, bob, states, codecs }) => {
    const data = new Uint8Array(700_000);
    const law = async (turns: number): Promise<void> => {
      const streamId = crypto.randomUUID();
      const topic = streamId;
      const read = new Promise<string>((resolve) => {
        bob.registerByteStreamHandler(
          topic,
          (reader) => void reader.readAll().then(() => resolve("closed"), () => resolve("failed")),
        );
      });
      const actor = createActor(sendBytesActor, { input: { runtime: alice, data, options: { topic, streamId } } }).start();
      for (let turn = 0; turn < turns; turn++) await macrotask();
      actor.stop();
      const ends = (): (string | undefined)[] => states.find(streamId).map(({ path }) => path.at(-1));
      await until(() => hub.idle && ends().every((state) => state === "closed" || state === "failed"));
      const [sender, receiver] = ends();
      if (receiver !== undefined) assert.is(await read, receiver);
      // If the receipt was in flight when the sender was stopped, the two ends may differ in that alone.
      if (sender !== receiver && receiver !== undefined) assert.equal([sender, receiver], ["failed", "closed"]);
      bob.unregisterByteStreamHandler(topic);
      await until(() => codecs.every(({ segments }) => segments.inUse === 0));
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 40 }), law), { numRuns: 60 }); // prints its seed when it fails
  }));

test.run();

interface Pair {
  readonly hub: Hub;
  readonly alice: Runtime;
  readonly bob: Runtime;
  readonly states: StatePaths;
  /** Actors that an inspector of Alice's runtime was told of. */
  readonly seen: ReadonlySet<unknown>;
  /** Codecs of Alice and Bob. */
  readonly codecs: readonly [Codec, Codec];
}

/** Runs a test between two inspected runtimes. */
function inInspectedPair(body: (pair: Pair) => Promise<void>): Promise<void> {
  return inRealTime(async (room) => {
    const states = new StatePaths();
    const seen = new Set<unknown>();
    const inspect = states.of("alice");
    const join = (identity: string, options: Partial<RuntimeOptions>): Promise<Member> =>
      room.join(identity, { pool: createInlineCodec() as CodecPool, ...options });
    const alice = await join("alice", {
      inspect: (event) => {
        seen.add(event.actorRef);
        inspect(event);
      },
    });
    const bob = await join("bob", { inspect: states.of("bob") });
    const codecs = [alice.codec, bob.codec] as const;
    await body({ hub: room.hub, alice: alice.runtime, bob: bob.runtime, states, seen, codecs });
  });
}

function withFile(size: number, body: (path: string) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const path = join(folder, "report.bin");
    await writeFile(path, new Uint8Array(size).map((_, index) => index * index));
    await body(path);
  });
}

/** Settles as the actor does. It subscribes before the start, as nothing else sees an error at the start. */
function outcome(actor: AnyActorRef): Promise<void> {
  return new Promise((resolve, reject) => void actor.subscribe({ complete: resolve, error: reject }));
}
