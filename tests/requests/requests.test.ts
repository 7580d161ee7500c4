// Requests between Millrace runtimes: replies of each kind, and every way that a request ends.
import * as assert from "uvu/assert";
import { z } from "zod";
import type { ByteStreamReader, IncomingRequest, RequestReply, Runtime, StreamError, TextStreamReader } from "../../mod.ts";
import { Deferred } from "../../common/promises.ts";
import { pattern, same } from "../support/bytes.ts";
import { suite } from "../support/harness.ts";
import { inPair, inVirtualPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("requests");

interface Asked {
  request: IncomingRequest;
  reply: RequestReply;
}

/** Requests of topic "ask", which the test answers. */
function collectRequests(runtime: Runtime): Asked[] {
  const asked: Asked[] = [];
  runtime.registerRequestHandler("ask", (request, reply) => void asked.push({ request, reply }));
  return asked;
}

/** The only request, once it is there. */
async function first(asked: readonly Asked[]): Promise<Asked> {
  await until(() => asked.length > 0);
  return asked[0] as Asked;
}

async function* parts(...texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text);
}

/** Reason of a signal, once it has aborted. */
async function reasonOf({ request: { signal } }: Asked): Promise<StreamError> {
  await until(() => signal.aborted);
  return signal.reason as StreamError;
}

test("request: a text is answered by a text, whole or in parts, and the request may be in parts too", () =>
  inPair(async (alice, bob) => {
    bob.registerRequestHandler("ask", async (request, reply) => {
      assert.is(request.sender.transportIdentity, "alice");
      assert.not(request.signal.aborted);
      const text = await request.reader.readAll();
      await (text === "whole" ? reply.sendText("one") : reply.sendText(parts("t", "w", "o")));
    });
    const whole = await alice.request("bob", "ask", "whole", { reply: "text" });
    assert.is(await whole.readAll(), "one");
    assert.ok(whole.info.replyToId);
    const inParts = await alice.request("bob", "ask", parts("in ", "parts"));
    assert.is(await inParts.readAll(), "two");
    assert.is(inParts.info.topic, "ask");
  }));

test("request: is answered by written text, records, bytes and written bytes", () =>
  inPair(async (alice, bob) => {
    const schema = z.object({ n: z.number() });
    bob.registerRequestHandler("ask", async ({ reader }, reply) => {
      switch (await reader.readAll()) {
        case "text": {
          const writer = await reply.streamText({ attributes: { of: "bob" } });
          await writer.write("written");
          return await writer.close();
        }
        case "records": {
          const writer = await reply.streamRecords({ schema, format: "numbers" });
          for (let n = 0; n < 3; n++) await writer.write({ n });
          return await writer.close();
        }
        case "bytes":
          return void await reply.sendBytes(pattern(300_000), { name: "b.bin" });
        case "written bytes": {
          const writer = await reply.streamBytes();
          await writer.write(pattern(10));
          return await writer.close();
        }
      }
    });
    const text = await alice.request("bob", "ask", "text", { reply: "text" });
    assert.equal([await text.readAll(), text.info.attributes], ["written", { of: "bob" }]);
    const records = await alice.request("bob", "ask", "records", { reply: "records", schema });
    const numbers: number[] = [];
    for await (const { n } of records) numbers.push(n);
    assert.equal([numbers, records.info.attributes], [[0, 1, 2], { format: "numbers" }]);
    const bytes = await alice.request("bob", "ask", "bytes", { reply: "bytes" });
    assert.is(bytes.info.name, "b.bin");
    assert.ok(same(await bytes.readAll(), pattern(300_000)));
    const any: TextStreamReader | ByteStreamReader = await alice.request("bob", "ask", "written bytes");
    assert.equal(await any.readAll(), pattern(10));
  }));

test("request: a hundred at once each get their own reply, in both directions", () =>
  inPair(async (alice, bob) => {
    const echo = async ({ reader }: IncomingRequest, reply: RequestReply): Promise<void> => {
      await reply.sendText(`re: ${await reader.readAll()}`);
    };
    alice.registerRequestHandler("ask", echo);
    bob.registerRequestHandler("ask", echo);
    const answers = await Promise.all(Array.from({ length: 100 }, async (_, at) => {
      const [from, to] = at % 2 === 0 ? [alice, "bob"] as const : [bob, "alice"] as const;
      return await (await from.request(to, "ask", `${at}`, { reply: "text" })).readAll();
    }));
    assert.equal(answers, Array.from({ length: 100 }, (_, at) => `re: ${at}`));
  }));

test("request: a handler may reply after it has returned, and need not read the request", () =>
  inPair(async (alice, bob) => {
    const asked = collectRequests(bob);
    for (let count = 0; count < 2; count++) {
      const answer = alice.request("bob", "ask", "x".repeat(100_000), { reply: "text" });
      await until(() => asked.length === count + 1);
      await asked[count]?.reply.sendText("unread");
      assert.is(await (await answer).readAll(), "unread");
      assert.not(asked[count]?.request.signal.aborted);
    }
  }));

test("request: wrong arguments are invalid, nothing is sent, and sources stay untouched", () =>
  inPair(async (alice, bob, room) => {
    const eve = room.raw("eve");
    const wrong: readonly (readonly unknown[])[] = [
      [undefined, "ask", "x"],
      ["", "ask", "x"],
      [["bob"], "ask", "x"],
      ["bob", undefined, "x"],
      ["bob", 5, "x"],
      ["bob", "ask", undefined],
      ["bob", "ask", {}],
      ["bob", "ask", pattern(3)],
      ...[null, 5, { timeout: 0 }, { timeout: -1 }, { timeout: NaN }, { timeout: "5" }, { signal: 5 }, { reply: "json" }].map((
        options,
      ) => ["bob", "ask", "x", options]),
      ["bob", "ask", "x", { schema: z.string() }],
      ["bob", "ask", "x", { reply: "records", schema: {} }],
      ["bob", "ask", "x", { attributes: { n: 5 } }],
      ["bob", "ask", "x", { tiemout: 5 }],
    ];
    for (const args of wrong) {
      await rejection(
        () => (alice.request as (...args: readonly unknown[]) => unknown).apply(alice, [...args]),
        "invalid-argument",
      );
    }
    for (const topic of [undefined, null, 5]) {
      await rejection(() => bob.registerRequestHandler(topic as never, () => {}), "invalid-argument");
      await rejection(() => bob.unregisterRequestHandler(topic as never), "invalid-argument");
    }
    await rejection(() => bob.registerRequestHandler("ask", "x" as never), "invalid-argument");
    assert.equal(eve.headers, []);
  }));

test("registerRequestHandler: shares its topics with text handlers, and unregisters only its own", () =>
  inPair(async (alice, bob) => {
    const asked = collectRequests(bob);
    await rejection(() => bob.registerRequestHandler("ask", () => {}), "handler-exists");
    await rejection(() => bob.registerTextStreamHandler("ask", () => {}), "handler-exists");
    bob.unregisterTextStreamHandler("ask");
    const answer = alice.request("bob", "ask", "x", { reply: "text" });
    const { reply } = await first(asked);
    bob.unregisterRequestHandler("ask");
    await reply.sendText("all the same");
    assert.is(await (await answer).readAll(), "all the same");
    bob.registerTextStreamHandler("ask", () => {});
    await bob.close();
    await rejection(() => bob.registerRequestHandler("x", () => {}), "closed");
    bob.unregisterRequestHandler("ask");
  }));

test("request: an absent participant, and oneself, are disconnected", () =>
  inPair(async (alice) => {
    for (const nobody of ["nobody", "alice"]) {
      assert.is((await rejection(() => alice.request(nobody, "ask", "x"), "disconnected")).identity, nobody);
    }
  }));

test("request: without a handler there, refused", () =>
  inVirtualPair(async (alice, bob, room) => {
    await rejection(() => room.time.run(alice.runtime.request("bob", "ask", "x")), "refused");
    for (const { errors } of [alice, bob]) assert.equal(errors.map(({ code }) => code), ["refused"]); // as of any stream
  }));

for (const read of [true, false]) {
  test(`request: a handler that throws ${read ? "after" : "before"} it has read the request is cancelled, without its message`, () =>
    inPair(async (alice, bob, room) => {
      bob.registerRequestHandler("ask", async ({ reader }) => {
        if (read) await reader.readAll();
        throw new Error("the password is 1234");
      });
      const error = await rejection(() => alice.request("bob", "ask", "x"), "cancelled");
      assert.is(error.identity, "bob");
      assert.is(error.reason, "its handler failed");
      assert.not.match(error.message, "1234");
      await until(() => room.told("bob").length > 0);
      assert.match(room.told("bob").map(({ error: told }) => told.message).join(), "the password is 1234");
      assert.equal(room.told("alice"), []);
    }));
}

test("request: a handler that throws in mid-reply aborts the reply", () =>
  inPair(async (alice, bob) => {
    bob.registerRequestHandler("ask", async (_request, reply) => {
      const writer = await reply.streamText();
      await writer.write("so far");
      throw new Error("broken");
    });
    const reply = await alice.request("bob", "ask", "x");
    const error = await rejection(() => reply.readAll(), "aborted");
    assert.is(error.reason, "its handler failed");
  }));

test("reply: a second one is closed, and one with wrong options leaves room for another", () =>
  inPair(async (alice, bob) => {
    const asked = collectRequests(bob);
    const answer = alice.request("bob", "ask", "x", { reply: "text" });
    const { reply } = await first(asked);
    for (const options of [null, { tpic: 5 }, { signal: 5 }, { attributes: { "n": 5 } }]) {
      await rejection(() => reply.sendText("x", options as never), "invalid-argument");
      await rejection(() => reply.streamBytes(options as never), "invalid-argument");
    }
    await rejection(() => reply.sendText(5 as never), "invalid-argument");
    let ended = false;
    const source = new ReadableStream<string>({ cancel: () => void (ended = true) });
    const sending = reply.sendText("first");
    await rejection(() => reply.sendText(source), "closed");
    assert.ok(ended);
    await sending;
    for (
      const call of [() => reply.sendText("x"), () => reply.streamText(), () => reply.streamRecords(), () => reply.streamBytes()]
    ) {
      await rejection(call, "closed");
    }
    await rejection(() => reply.sendBytes(pattern(1)), "closed");
    await rejection(() => reply.sendFile("x"), "closed");
    assert.is(await (await answer).readAll(), "first");
  }));

test("request: a reply of another kind than wanted is refused at both ends", () =>
  inPair(async (alice, bob, room) => {
    const outcomes: unknown[] = [];
    bob.registerRequestHandler("ask", async (_request, reply) => {
      await reply.sendBytes(pattern(5)).catch((error: StreamError) => outcomes.push(error.code));
    });
    for (const reply of ["text", "records"] as const) {
      await rejection(() => alice.request("bob", "ask", "x", { reply } as { reply: "text" }), "refused");
    }
    await until(() => outcomes.length === 2);
    assert.equal(outcomes, ["refused", "refused"]);
    assert.equal(room.told("alice"), []);
  }));

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

test("request: a streamId in use is a duplicate", () =>
  inPair(async (alice, bob) => {
    const asked = collectRequests(bob);
    const answer = alice.request("bob", "ask", "x", { streamId: "one", reply: "text" });
    const { request, reply } = await first(asked);
    assert.is(request.reader.info.streamId, "one");
    await rejection(() => alice.request("bob", "ask", "x", { streamId: "one" }), "duplicate-stream");
    await reply.sendText("done");
    assert.is((await answer).info.replyToId, "one");
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
