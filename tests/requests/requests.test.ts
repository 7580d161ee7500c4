// Requests between Millrace runtimes: arguments, replies of each kind, and handlers that fail.
import * as assert from "uvu/assert";
import { z } from "zod";
import type { ByteStreamReader, IncomingRequest, RequestReply, StreamError, TextStreamReader } from "../../mod.ts";
import { pattern, same } from "../support/bytes.ts";
import { type Asked, collectRequests } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair, inVirtualPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("requests");

/** The only request, once it is there. */
async function first(asked: readonly Asked[]): Promise<Asked> {
  await until(() => asked.length > 0);
  return asked[0] as Asked;
}

async function* parts(...texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text);
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

test("request: a reply whose source fails is aborted, and its error goes to the handler's onError", () =>
  inPair(async (alice, bob, room) => {
    async function* failing(): AsyncGenerator<string> {
      yield await Promise.resolve("so far");
      throw new Error("the password is 1234");
    }
    bob.registerRequestHandler("ask", async (_request, reply) => void await reply.sendText(failing()));
    const reply = await alice.request("bob", "ask", "x");
    const error = await rejection(() => reply.readAll(), "aborted");
    assert.is(error.reason, "the source failed");
    await until(() => room.told("bob").length > 0);
    assert.equal(room.told("bob").map(({ error: told }) => [told.code, (told.cause as Error).message]), [[
      "aborted",
      "the password is 1234",
    ]]);
    assert.equal(room.told("alice"), []);
  }));

test("request: a reply that fails before it begins is cancelled at once", () =>
  inPair(async (alice, bob, room) => {
    bob.registerRequestHandler("ask", async (_request, reply) => void await reply.sendFile("/nowhere/to/be/found"));
    const error = await rejection(() => alice.request("bob", "ask", "x", { timeout: Infinity }), "cancelled");
    assert.is(error.reason, "its handler failed");
    await until(() => room.told("bob").length > 0);
    assert.match(room.told("bob").map(({ error: told }) => told.code).join(), /^(file-error|invalid-argument)$/); // a page has no paths
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

test.run();
