// Records at the sender: what is written, what is refused before it is sent, and the writer's life.
import { type } from "arktype";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { z } from "zod";
import type { RecordStreamOptions, RecordStreamWriter, Runtime, StandardSchema } from "../../mod.ts";
import { Deferred } from "../../common/promises.ts";
import { collectTexts, nextText, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { pause, until } from "../support/waiting.ts";

const test = suite("record writer");

const MIB = 1024 * 1024;

/** Schemas of `{ age: number }` by three libraries. */
const SCHEMAS: Readonly<Record<string, StandardSchema<{ age: number }>>> = {
  zod: z.object({ age: z.number() }),
  valibot: v.object({ age: v.number() }),
  arktype: type({ age: "number" }),
};

async function opened(alice: Runtime, options: RecordStreamOptions = {}): Promise<RecordStreamWriter> {
  return await alice.streamRecords({ ...TO_BOB, confirm: true, ...options });
}

/** A schema that takes all, when told to. */
function slow(): { schema: StandardSchema; goOn: Deferred; asked: unknown[] } {
  const goOn = new Deferred();
  const asked: unknown[] = [];
  const validate = async (value: unknown): Promise<{ value: unknown }> => {
    asked.push(value);
    await goOn.promise;
    return { value };
  };
  return { schema: { "~standard": { version: 1, vendor: "test", validate } }, goOn, asked };
}

test("streamRecords: writes one JSON value a line, in a text stream that any SDK can read", () =>
  inPair(async (alice, bob) => {
    const incoming = nextText(bob, "t");
    const writer = await opened(alice, { format: "steps", attributes: { by: "alice" }, replyToId: "question" });
    const record = { text: "two\nlines", at: new Date(0), left: undefined };
    const writing = writer.write(record);
    record.text = "changed afterwards";
    await writing;
    for (const value of [[1, 2], "text", 5, true, null, {}]) await writer.write(value);
    const reader = await incoming;
    const reading = reader.readAll();
    await writer.close();
    assert.is(
      await reading,
      '{"text":"two\\nlines","at":"1970-01-01T00:00:00.000Z"}\n[1,2]\n"text"\n5\ntrue\nnull\n{}\n',
    );
    assert.equal(reader.info.attributes, { by: "alice", format: "steps" });
    assert.is(reader.info.replyToId, "question");
    assert.is(writer.info.receipts?.[0]?.bytes, writer.progress.received);
    assert.is(writer.actor.getSnapshot().value, "closed");
  }));

test("streamRecords: a record arrives before the next is written", () =>
  inPair(async (alice, bob) => {
    const seen: unknown[] = [];
    bob.registerRecordStreamHandler("t", async (reader) => {
      for await (const record of reader) seen.push(record);
    });
    const writer = await opened(alice);
    for (let count = 1; count <= 3; count++) {
      await writer.write(count);
      await until(() => seen.length === count);
    }
    await writer.close();
    assert.equal(seen, [1, 2, 3]);
  }));

for (const [name, schema] of Object.entries(SCHEMAS)) {
  test(`streamRecords: a value that does not match a schema of ${name} is not sent, and the stream goes on`, () =>
    inPair(async (alice, bob) => {
      const texts = collectTexts(bob, "t");
      const writer = await alice.streamRecords({ ...TO_BOB, confirm: true, schema });
      await writer.write({ age: 5 });
      const error = await rejection(() => writer.write({ age: "six" } as unknown as { age: number }), "invalid-argument");
      assert.match(error.message, /must match the schema: "age" .*number/);
      assert.ok(Array.isArray(error.cause));
      await rejection(() => writer.write(null as never), "invalid-argument");
      await writer.write({ age: 7 });
      await writer.close();
      assert.equal(texts, ['{"age":5}\n{"age":7}\n']);
    }));
}

test("streamRecords: a value is checked as its receiver reads it, and sent as it was given", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const dates = await alice.streamRecords({ ...TO_BOB, schema: z.object({ at: z.date() }) });
    await rejection(() => dates.write({ at: new Date() }), "invalid-argument"); // a string after JSON
    await dates.abort();
    const schema = z.object({ at: z.coerce.date<string>(), tags: z.array(z.string()).default([]) });
    const writer = await alice.streamRecords({ ...TO_BOB, confirm: true, schema });
    await writer.write({ at: "2026-01-01" });
    await writer.close();
    assert.equal(texts.at(-1), '{"at":"2026-01-01"}\n');
  }));

test("streamRecords: the message names paths of any depth, and three issues at most", () =>
  inPair(async (alice) => {
    const schema = z.object({ a: z.array(z.object({ b: z.number() })), c: z.string(), d: z.string(), e: z.string() });
    const writer = await alice.streamRecords({ ...TO_BOB, schema });
    const error = await rejection(() => writer.write({ a: [{ b: 1 }, { b: "x" }] } as never), "invalid-argument");
    assert.match(error.message, '"a[1].b" ');
    assert.match(error.message, "; and 1 more");
    await writer.abort();
  }));

test("streamRecords: values without JSON are invalid arguments, and the stream goes on", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const broken = {
      toJSON: () => {
        throw new Error("not now");
      },
    };
    const writer = await opened(alice);
    for (const value of [undefined, () => {}, Symbol("x"), 5n, cycle, broken, { toJSON: () => undefined }]) {
      assert.match((await rejection(() => writer.write(value), "invalid-argument")).message, "must be a value of JSON: got ");
    }
    await writer.close();
    assert.equal(texts, [""]);
  }));

test("streamRecords: a line of 1 MiB passes, and one byte more is too-large before it is sent", () =>
  inPair(async (alice, bob) => {
    const sizes: number[] = [];
    bob.registerRecordStreamHandler("t", async (reader) => {
      for await (const record of reader) sizes.push((record as string).length);
    });
    const writer = await opened(alice);
    await writer.write("x".repeat(MIB - 2));
    await writer.write("€".repeat((MIB - 2) / 3));
    await rejection(() => writer.write("x".repeat(MIB - 1)), "too-large");
    await rejection(() => writer.write("€".repeat(MIB / 3)), "too-large");
    await rejection(() => writer.write("x".repeat(50 * MIB)), "too-large");
    await writer.close();
    assert.equal(sizes, [MIB - 2, Math.floor((MIB - 2) / 3)]);
  }));

test("streamRecords: records keep their order while a schema takes its time, and close waits for them", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const { schema, goOn, asked } = slow();
    const writer = await opened(alice, { schema });
    const writes = [writer.write(1), writer.write(2)];
    const closing = writer.close();
    await rejection(async () => {
      const late = writer.write(3);
      goOn.resolve();
      await late;
    }, "closed");
    await Promise.all([...writes, closing]);
    assert.equal(asked.slice(0, 2), [1, 2]);
    assert.equal(texts, ["1\n2\n"]);
    await rejection(() => writer.write(4), "closed");
    await rejection(() => writer.close(), "closed");
  }));

test("streamRecords: a schema that throws or rejects fails its write only", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    let calls = 0;
    const validate = (value: unknown): { value: unknown } | Promise<{ value: unknown }> => {
      if (calls === 0) throw new Error(`broken ${calls++}`);
      return calls++ === 1 ? Promise.reject(new Error("broken too")) : { value };
    };
    const writer = await opened(alice, { schema: { "~standard": { version: 1, vendor: "test", validate } } });
    assert.match((await rejection(() => writer.write(1), "invalid-argument")).message, "schema failed (broken 0)");
    assert.match((await rejection(() => writer.write(2), "invalid-argument")).message, "schema failed (broken too)");
    await writer.write(3);
    await writer.close();
    assert.equal(texts, ["3\n"]);
  }));

test("streamRecords: wrong options are invalid arguments", () =>
  inPair(async (alice, _, room) => {
    const eve = room.raw("eve");
    const wrong: object[] = [{ schema: {} }, { schema: null }, { schema: { "~standard": {} } }, { format: 5 }, { topic: 5 }];
    for (const options of [null, 5, [], ...wrong]) {
      await rejection(() => alice.streamRecords(options as object), "invalid-argument");
    }
    await alice.close();
    await rejection(() => alice.streamRecords(), "closed");
    assert.equal(eve.headers, []);
  }));

test("streamRecords: an abort, and an await using scope left early, fail the reader", () =>
  inPair(async (alice, bob) => {
    for (const how of ["abort", "scope"] as const) {
      const incoming = nextText(bob, "t");
      const writer = await alice.streamRecords(TO_BOB);
      await writer.write({ n: 1 });
      if (how === "abort") await writer.abort("no more");
      else await writer[Symbol.asyncDispose]();
      const error = await rejection(async () => await (await incoming).readAll(), "aborted");
      assert.is(error.reason, how === "abort" ? "no more" : undefined);
      await rejection(() => writer.write({ n: 2 }), "aborted");
      bob.unregisterTextStreamHandler("t");
    }
  }));

test("streamRecords: a receiver that has gone, or cancels, fails the next write with its code", () =>
  inPair(async (alice, bob, room) => {
    await rejection(() => alice.streamRecords({ destinationIdentities: ["nobody"] }), "disconnected");
    bob.registerRecordStreamHandler("t", (reader) => reader.cancel("enough"));
    const writer = await alice.streamRecords(TO_BOB);
    const failure = await rejection(async () => {
      for (;;) await writer.write("x").then(() => pause(1));
    }, "cancelled");
    assert.is(failure.reason, "enough");
    bob.unregisterRecordStreamHandler("t");
    bob.registerRecordStreamHandler("t", () => {});
    const other = await alice.streamRecords(TO_BOB);
    room.hub.vanish("bob");
    await until(() => other.actor.getSnapshot().value === "failed");
    await rejection(() => other.write("x"), "disconnected");
  }));

test("streamRecords: a reader that does not read makes the writer wait", () =>
  inPair(async (alice, bob) => {
    bob.registerRecordStreamHandler("t", () => {});
    const writer = await alice.streamRecords(TO_BOB);
    let written = 0;
    const writing = (async (): Promise<void> => {
      for (;; written++) await writer.write("x".repeat(1_000));
    })();
    const failed = rejection(() => writing, "aborted");
    for (let seen = -1; seen !== written; await pause(50)) seen = written;
    assert.ok(written < 8_000, `${written} kB were written`);
    await writer.abort();
    await failed;
  }));

test("writable: a web stream of values is piped into it, and a wrong value aborts it", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const of = (values: readonly unknown[]): ReadableStream<unknown> =>
      new ReadableStream({
        start(controller) {
          for (const value of values) controller.enqueue(value);
          controller.close();
        },
      });
    await of([1, { a: 2 }]).pipeTo((await opened(alice)).writable);
    assert.equal(texts, ['1\n{"a":2}\n']);
    bob.unregisterTextStreamHandler("t");
    bob.registerTextStreamHandler("t", (reader) => void reader.readAll().catch(() => {}));
    const writer = await opened(alice);
    assert.is(writer.writable, writer.writable);
    await rejection(() => of([1, undefined]).pipeTo(writer.writable), "invalid-argument");
    assert.is(writer.actor.getSnapshot().value, "failed");
  }));

test.run();
