// Signals of users: each has one listener of ours while anything uses it, and none afterwards.
import * as assert from "uvu/assert";
import { createActor } from "xstate";
import { sendTextActor } from "../../actors/mod.ts";
import { onAbort } from "../../common/abort.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import { TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualPair } from "../support/hub/hub_fixture.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("abort signals");

/** A signal that counts its listeners. */
interface Watched {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  now: number;
  most: number;
}

function watched(): Watched {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const seen: Watched = { controller, signal, now: 0, most: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const count = (): void => {
    seen.now = listeners.size;
    seen.most = Math.max(seen.most, seen.now);
  };
  Object.defineProperty(signal, "addEventListener", {
    value: (type: string, listener: EventListener, options?: AddEventListenerOptions) => {
      listeners.add(listener);
      count();
      add(type, listener, options);
    },
  });
  Object.defineProperty(signal, "removeEventListener", {
    value: (type: string, listener: EventListener) => {
      listeners.delete(listener);
      count();
      remove(type, listener);
    },
  });
  return seen;
}

test("onAbort: any number of concurrent sends share one listener, which goes with the last", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const one = watched();
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    const options = { ...TO_BOB, signal: one.signal, confirm: true };
    const sends = Array.from(
      { length: 30 },
      (_, i) => i % 2 === 0 ? alice.runtime.sendBytes(pattern(50_000), options) : alice.runtime.sendText("x", options),
    );
    await room.time.run(Promise.all(sends));
    assert.equal([one.now, one.most], [0, 1]);
    const writer = await room.time.run(alice.runtime.streamText(options));
    assert.is(one.now, 1);
    await room.time.run(writer.close());
    assert.is(one.now, 0);
    const failing = await room.time.run(alice.runtime.streamText(options));
    await room.time.run(failing.abort());
    assert.equal([one.now, one.most], [0, 1]);
  });
});

test("onAbort: sends that never open leave no listener", async () => {
  await inVirtualPair(async (alice, _, room) => {
    const one = watched();
    for (const options of [{ destinationIdentities: ["nobody"] }, { attributes: { a: "x".repeat(9_000) } }]) {
      const sent = alice.runtime.sendText("x", { ...options, signal: one.signal });
      sent.catch(() => {});
      await room.time.run(sent.catch(() => {}));
    }
    assert.is(one.now, 0);
  });
});

test("StreamReader: readAll and saveTo leave no listener, whole or not", async () => {
  await inTemporaryFolder((folder) =>
    inVirtualPair(async (alice, bob, room) => {
      const one = watched();
      const ends: Promise<unknown>[] = [];
      bob.runtime.registerByteStreamHandler("t", (reader) => {
        const { name } = reader.info;
        const reading: Promise<unknown> = name === ""
          ? reader.readAll({ signal: one.signal })
          : reader.saveTo(`${folder}/`, { signal: one.signal });
        ends.push(reading.catch(() => {}));
      });
      // Files are read and written in real time, which virtual time would overtake.
      for (const name of ["", "", "a.txt", "a.txt"]) await alice.runtime.sendBytes(pattern(5), { ...TO_BOB, name });
      await Promise.all(ends);
      assert.equal([ends.length, one.now], [4, 0]);
      const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
      await room.time.advance(10);
      assert.is(one.now, 1);
      one.controller.abort(new Error("enough of it"));
      await room.time.run(Promise.all(ends));
      assert.equal([ends.length, one.now, one.most], [5, 0, 1]);
      await writer.abort();
    })
  );
});

test("signal: an abort ends everything that uses the signal, with its reason", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const one = watched();
    bob.runtime.registerByteStreamHandler("t", () => new Promise(() => {}));
    const sends = Array.from({ length: 12 }, () => {
      const sent = alice.runtime.sendBytes(pattern(2_000_000), { ...TO_BOB, signal: one.signal });
      sent.catch(() => {});
      return sent;
    });
    await room.time.advance(10);
    one.controller.abort(new Error("enough of it"));
    for (const sent of sends) {
      const error = await rejection(() => room.time.run(sent), "aborted");
      assert.match(error.message, "enough of it");
    }
    assert.equal([one.now, one.most], [0, 1]);
  });
});

test("sender actors: share one listener as well", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const one = watched();
    bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    const options = { ...TO_BOB, signal: one.signal };
    const actors = Array.from(
      { length: 20 },
      () => createActor(sendTextActor, { input: { runtime: alice.runtime, text: "x", options } }).start(),
    );
    await room.time.run(() => actors.every((actor) => actor.getSnapshot().status === "done"));
    await room.time.advance(1);
    assert.equal([one.now, one.most], [0, 1]);
  });
});

test("Codec: jobs leave no listener", async () => {
  const one = watched();
  const codec = createInlineCodec();
  const segment = codec.segments.acquire(100);
  const jobs = Array.from({ length: 20 }, () => codec.slice({ segment, start: 0, end: 100 }, undefined, { signal: one.signal }));
  await Promise.all(jobs);
  segment.release();
  assert.is(one.now, 0);
  assert.ok(one.most <= 1);
});

test("onAbort: calls each callback once, except those removed, even by another callback", () => {
  const own = new AbortController();
  const calls: string[] = [];
  onAbort(own.signal, () => {
    calls.push("first");
    leave();
  });
  const leave = onAbort(own.signal, () => calls.push("second"));
  const same = (): void => void calls.push("same");
  onAbort(own.signal, same);
  onAbort(own.signal, same)();
  own.abort();
  own.abort();
  assert.equal(calls, ["first", "same"]);
  onAbort(own.signal, () => calls.push("late"))();
  assert.equal(calls, ["first", "same"]);
});

test.run();
