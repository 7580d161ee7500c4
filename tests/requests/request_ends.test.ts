// Requests that end early: by time, signals, cancelled replies, departures and closed runtimes.
import * as assert from "uvu/assert";
import type { StreamError } from "../../mod.ts";
import { Deferred } from "../../common/promises.ts";
import { type Asked, collectRequests } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair, inVirtualPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("request ends");

/** Reason of a signal, once it has aborted. */
async function reasonOf({ request: { signal } }: Asked): Promise<StreamError> {
  await until(() => signal.aborted);
  return signal.reason as StreamError;
}

test("request: timeout counts until the reply begins, tells the handler, and a late reply goes to onError", () =>
  inVirtualPair(async (alice, bob, room) => {
    const asked: Asked[] = [];
    bob.runtime.registerRequestHandler("ask", (request, reply) => void asked.push({ request, reply }));
    const late = rejection(() => room.time.run(alice.runtime.request("bob", "ask", "x", { timeout: 500 })), "timeout");
    await late;
    assert.is(room.time.now() >= 500 && room.time.now() < 600, true);
    await room.time.advance(10);
    const one = asked[0] as Asked;
    assert.is((one.request.signal.reason as StreamError).code, "timeout");
    await rejection(() => one.reply.sendText("late"), "timeout");
    // A program that replies by itself knows nothing of the time-out.
    const { streamId } = one.request.reader.info;
    const sending = rejection(
      () =>
        room.time.run(
          bob.runtime.sendText("late", { topic: "ask", replyToId: streamId, destinationIdentities: ["alice"], confirm: true }),
        ),
      "refused",
    );
    await sending;
    assert.match(alice.errors.map(({ message }) => message).join(), "its request has a reply or has ended");

    const begun = alice.runtime.request("bob", "ask", "y", { timeout: 500, reply: "text" });
    await room.time.run(() => asked.length === 2);
    const writer = await room.time.run(
      asked[1]?.reply.streamText() as Promise<{ write(text: string): Promise<void>; close(): Promise<void> }>,
    );
    const reader = await room.time.run(begun);
    await room.time.advance(5_000);
    await writer.write("slow");
    await writer.close();
    assert.is(await room.time.run(reader.readAll()), "slow");
  }));

test("request: waits 30 s by default, and for ever with Infinity", () =>
  inVirtualPair(async (alice, bob, room) => {
    let patient: { code?: string } = {};
    bob.runtime.registerRequestHandler("ask", async ({ reader }) => void await reader.readAll());
    alice.runtime.request("bob", "ask", "x", { timeout: Infinity }).catch((error: StreamError) => patient = { code: error.code });
    await rejection(() => room.time.run(alice.runtime.request("bob", "ask", "x")), "timeout");
    assert.ok(room.time.now() >= 30_000 && room.time.now() < 30_100);
    await room.time.advance(3_600_000);
    assert.equal(patient, {});
    await room.time.run(alice.runtime.close());
    assert.equal(patient, { code: "closed" });
  }));

test("request: its signal cancels it before the reply, in the text, and in the reply, and tells the handler", () =>
  inPair(async (alice, bob, room) => {
    const asked = collectRequests(bob);
    await rejection(() => alice.request("bob", "ask", "x", { signal: AbortSignal.abort(new Error("before")) }), "aborted");

    const waiting = new AbortController();
    const unanswered = rejection(() => alice.request("bob", "ask", "x", { signal: waiting.signal }), "aborted");
    await until(() => asked.length === 1);
    await asked[0]?.request.reader.readAll();
    waiting.abort(new Error("enough"));
    assert.is(((await unanswered).cause as Error).message, "enough");
    assert.is((await reasonOf(asked[0] as Asked)).code, "cancelled");
    await rejection(() => asked[0]?.reply.sendText("x"), "cancelled");

    const writing = new AbortController();
    let ended = false;
    const source = new ReadableStream<string>({
      start: (controller) => controller.enqueue("half"),
      cancel: () => void (ended = true),
    });
    const unsent = rejection(() => alice.request("bob", "ask", source, { signal: writing.signal }), "aborted");
    await until(() => asked.length === 2);
    writing.abort();
    await unsent;
    await until(() => ended);
    assert.ok(["aborted", "cancelled"].includes((await reasonOf(asked[1] as Asked)).code));

    const reading = new AbortController();
    const answer = alice.request("bob", "ask", "x", { signal: reading.signal });
    await until(() => asked.length === 3);
    const writer = await asked[2]?.reply.streamText();
    await writer?.write("so far");
    const reader = await answer;
    reading.abort();
    await rejection(() => reader.readAll(), "aborted");
    assert.is((await reasonOf(asked[2] as Asked)).code, "cancelled");
    await rejection(() => writer?.write("x"), "cancelled");
    assert.equal(room.told("alice"), []);
  }));

test("request: a reply that is cancelled tells the handler, and ends its model", () =>
  inPair(async (alice, bob, room) => {
    let ended = false;
    let reason: unknown;
    bob.registerRequestHandler("ask", async ({ signal }, reply) => {
      const model = new ReadableStream<string>({
        start: (controller) => controller.enqueue("token"),
        cancel: () => void (ended = true),
      });
      signal.addEventListener("abort", () => reason = signal.reason);
      await reply.sendText(model);
    });
    const reader = await alice.request("bob", "ask", "x");
    await reader.cancel("seen enough");
    await until(() => ended);
    assert.is((reason as StreamError).code, "cancelled");
    assert.is((reason as StreamError).reason, "seen enough");
    assert.equal(room.told("bob"), []); // nobody's fault
  }));

test("request: a handler's error after the cancellation, as of its model, goes nowhere", () =>
  inPair(async (alice, bob, room) => {
    const started = new Deferred();
    const settled = new Deferred();
    bob.registerRequestHandler("ask", async ({ signal }) => {
      started.resolve();
      try {
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      } finally {
        settled.resolve();
      }
    });
    const controller = new AbortController();
    const failed = rejection(() => alice.request("bob", "ask", "x", { signal: controller.signal }), "aborted");
    await started.promise;
    controller.abort();
    await failed;
    await settled.promise;
    assert.equal([...room.told("alice"), ...room.told("bob")], []);
  }));

for (const how of ["leaves", "vanishes"] as const) {
  test(`request: is disconnected if the other end ${how}, and the handler's signal if its sender does`, () =>
    inPair(async (alice, bob, room) => {
      const asked = collectRequests(bob);
      const own = collectRequests(alice);
      const outgoing = rejection(() => alice.request("bob", "ask", "x", { timeout: Infinity }), "disconnected");
      const incoming = bob.request("alice", "ask", "y", { timeout: Infinity }).catch((error: StreamError) => error.code);
      await until(() => asked.length === 1 && own.length === 1);
      await asked[0]?.request.reader.readAll();
      await own[0]?.request.reader.readAll();
      if (how === "leaves") await bob.close();
      else room.hub.vanish("bob");
      assert.is((await outgoing).identity, "bob");
      assert.is((await reasonOf(own[0] as Asked)).code, "disconnected");
      await rejection(() => own[0]?.reply.sendText("z"), "disconnected");
      assert.is(await incoming, how === "leaves" ? "closed" : "disconnected");
    }));
}

test("request: after close, and while the runtime closes, is closed; the source is ended", () =>
  inPair(async (alice, bob) => {
    const asked = collectRequests(bob);
    const waiting = rejection(() => alice.request("bob", "ask", "x"), "closed");
    await until(() => asked.length === 1);
    await alice.close();
    await waiting;
    let ended = false;
    const source = new ReadableStream<string>({ cancel: () => void (ended = true) });
    await rejection(() => alice.request("bob", "ask", source), "closed");
    assert.ok(ended);
    assert.is((await reasonOf(asked[0] as Asked)).code, "disconnected");
  }));

test("request: a source that fails before the reply rejects the request, later it goes to onError", () =>
  inPair(async (alice, bob, room) => {
    async function* failing(when: Promise<void>): AsyncGenerator<string> {
      yield "half";
      await when;
      throw new Error("no more");
    }
    const asked = collectRequests(bob);
    const error = await rejection(() => alice.request("bob", "ask", failing(Promise.resolve())), "aborted");
    assert.is((error.cause as Error).message, "no more");
    const replied = new Deferred();
    const answer = alice.request("bob", "ask", failing(replied.promise), { reply: "text" });
    await until(() => asked.length === 2);
    const writer = await asked[1]?.reply.streamText();
    const reader = await answer;
    replied.resolve();
    await until(() => room.told("alice").length === 1);
    assert.match(room.told("alice")[0]?.error.message ?? "", "source failed (no more)");
    await writer?.abort();
    await rejection(() => reader.readAll(), "aborted");
  }));

test("request: a large reply waits for its reader", () =>
  inPair(async (alice, bob) => {
    let given = 0;
    bob.registerRequestHandler("ask", async (_request, reply) => {
      async function* endless(): AsyncGenerator<string> {
        for (;; given++) yield await Promise.resolve("x".repeat(1_000));
      }
      await reply.sendText(endless());
    });
    const reader = await alice.request("bob", "ask", "x");
    let seen = -1;
    await until(async () => {
      const before = seen;
      seen = given;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return before === given;
    });
    assert.ok(given < 8_000, `${given} kB were given`);
    await reader.cancel();
  }));

test.run();
