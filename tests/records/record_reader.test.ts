// Records at the receiver: lines of any sender, the schema, and the reader's life.
import { type } from "arktype";
import fc from "fast-check";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { z } from "zod";
import type { RecordStreamReader, Runtime, StandardSchema } from "../../mod.ts";
import { Deferred } from "../../common/promises.ts";
import { TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { type HubFixture, inPair } from "../support/hub/hub_fixture.ts";
import { plainHeader } from "../support/hub/raw_participant.ts";
import { rejection } from "../support/rejections.ts";
import { pause, until } from "../support/waiting.ts";

const test = suite("record reader");

const MIB = 1024 * 1024;

/** Schemas of `{ age: number }` by three libraries. */
const SCHEMAS: Readonly<Record<string, StandardSchema<{ age: number }>>> = {
  zod: z.object({ age: z.number() }),
  valibot: v.object({ age: v.number() }),
  arktype: type({ age: "number" }),
};

/** The first record stream of topic "t". */
function nextRecords<S extends StandardSchema>(runtime: Runtime, schema?: S): Promise<RecordStreamReader> {
  return new Promise((resolve) =>
    runtime.registerRecordStreamHandler("t", (reader) => resolve(reader), schema === undefined ? {} : { schema })
  );
}

/** Sends chunks as another SDK does. */
async function sendPlain(room: HubFixture, chunks: readonly Uint8Array[], sender = "dave"): Promise<void> {
  await room.raw(sender).stream(plainHeader(`of ${sender}`, "t", "text"), chunks);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Reads all records, and the error after them. */
async function readUntilError(reader: RecordStreamReader, code: Parameters<typeof rejection>[1]) {
  const records: unknown[] = [];
  const error = await rejection(async () => {
    for await (const record of reader) records.push(record);
  }, code);
  return { records, error };
}

test("registerRecordStreamHandler: values flow from streamRecords, typed by the schema", () =>
  inPair(async (alice, bob) => {
    const schema = z.object({ at: z.coerce.date<string>(), tags: z.array(z.string()).default([]) });
    const received: { at: Date; tags: string[] }[] = [];
    let from = "";
    bob.registerRecordStreamHandler("t", async (reader, { identity }) => {
      from = identity;
      for await (const record of reader) received.push(record);
      await reader.closed;
    }, { schema });
    const writer = await alice.streamRecords({ ...TO_BOB, schema, confirm: true });
    await writer.write({ at: "2026-01-01", tags: ["x"] });
    await writer.write({ at: "2026-01-02" });
    await writer.close();
    assert.is(from, "alice");
    assert.equal(received, [{ at: new Date("2026-01-01"), tags: ["x"] }, { at: new Date("2026-01-02"), tags: [] }]);
  }));

test("registerRecordStreamHandler: reads texts of any SDK, cut anywhere", () =>
  inPair(async (_, bob, room) => {
    const readers: RecordStreamReader[] = [];
    bob.registerRecordStreamHandler("t", (reader) => void readers.push(reader));
    const end = fc.constantFrom("\n", "\r\n", "\n\n", "\n \t\n");
    const rows = fc.array(fc.tuple(fc.jsonValue(), end), { maxLength: 8 });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), fc.boolean(), fc.infiniteStream(fc.integer({ min: 1, max: 12 })), async (...given) => {
        const [lines, hasMark, isOpen, sizes] = given;
        let text = (hasMark ? "\ufeff" : "") + lines.map(([value, after]) => JSON.stringify(value) + after).join("");
        if (isOpen) text = text.trimEnd();
        const bytes = utf8(text);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value ?? 1;
          chunks.push(bytes.subarray(at, at += size));
        }
        const reading = sendPlain(room, chunks, `dave ${runs++}`);
        await until(() => readers.length === runs);
        await reading;
        const records = await readers.at(-1)?.readAll();
        assert.equal(records, lines.map(([value]) => JSON.parse(JSON.stringify(value)) as unknown));
      }),
      { numRuns: 60 },
    );
  }), { seconds: 60 });

test("registerRecordStreamHandler: an empty stream has no records, and blank lines are none", () =>
  inPair(async (alice, bob) => {
    const counts: number[] = [];
    bob.registerRecordStreamHandler("t", async (reader) => void counts.push((await reader.readAll()).length));
    for (const text of ["", "\n", "\n\n\r\n", "null", "\n5\n\n"]) await alice.sendText(text, { ...TO_BOB, confirm: true });
    assert.equal(counts, [0, 0, 0, 1, 1]);
  }));

for (const [name, schema] of Object.entries(SCHEMAS)) {
  test(`registerRecordStreamHandler: a line that does not match a schema of ${name} is named, at both ends`, () =>
    inPair(async (alice, bob) => {
      const incoming = nextRecords(bob, schema);
      const sending = rejection(
        () => alice.sendText('{"age":1}\n{"age":"2"}\n{"age":3}', { ...TO_BOB, confirm: true }),
        "refused",
      );
      const reader = await incoming;
      const { records, error } = await readUntilError(reader, "refused");
      assert.equal(records, [{ age: 1 }]);
      assert.match(error.message, /as line 2 must match the schema: "age" .*number/);
      assert.is(error.identity, "alice");
      assert.ok(Array.isArray(error.cause));
      assert.is(await reader.closed.catch((failure: unknown) => failure), error);
      assert.match((await sending).reason ?? "", 'line 2 must match the schema: "age"');
      assert.is(reader.actor.getSnapshot().value, "failed");
    }));
}

for (const by of ["a Millrace runtime", "another SDK"]) {
  test(`registerRecordStreamHandler: a last line without an end is checked before a stream of ${by} is closed`, () =>
    inPair(async (alice, bob, room) => {
      const incoming = nextRecords(bob, SCHEMAS["zod"]);
      const text = '{"age":1}\n{"age":"2"}';
      if (by === "another SDK") await sendPlain(room, [utf8(text)]);
      else alice.sendText(text, { ...TO_BOB, confirm: true }).catch(() => {});
      const reader = await incoming;
      await readUntilError(reader, "refused");
      await rejection(() => reader.closed, "refused");
    }));
}

test("registerRecordStreamHandler: a line that is no JSON is refused without its content, and blank lines are counted", () =>
  inPair(async (alice, bob) => {
    const incoming = nextRecords(bob);
    const sending = rejection(() => alice.sendText("1\n\n{secret}\n2\n", { ...TO_BOB, confirm: true }), "refused");
    const { records, error } = await readUntilError(await incoming, "refused");
    assert.equal(records, [1]);
    assert.match(error.message, "as line 3 must be JSON: stream id is");
    assert.not.match(error.message, "secret");
    assert.ok(error.cause instanceof SyntaxError);
    assert.is((await sending).reason, "line 3 must be JSON");
  }));

test("registerRecordStreamHandler: a line over 1 MiB is too-large, without waiting for its end", () =>
  inPair(async (alice, bob, room) => {
    const incoming = nextRecords(bob);
    const mib = utf8(`"${"x".repeat(MIB - 2)}"\n`);
    const reading = incoming.then((reader) => readUntilError(reader, "too-large"));
    const chunks = Array.from({ length: 40 }, (_, at) => mib.subarray(at * 30_000, (at + 1) * 30_000));
    const dave = room.raw("dave");
    await dave.transport.send({ type: "header", header: plainHeader("s", "t", "text") });
    let index = 0;
    for (const content of chunks) await dave.transport.send({ type: "chunk", streamId: "s", index: index++, content });
    for (let more = 0; more < 45; more++) { // a second line, which never ends
      await dave.transport.send({ type: "chunk", streamId: "s", index: index++, content: utf8("y".repeat(25_000)) });
    }
    const { records, error } = await reading;
    assert.equal(records.map((record) => (record as string).length), [MIB - 2]);
    assert.match(error.message, `line 2 must be at most ${MIB} bytes`);

    bob.unregisterRecordStreamHandler("t");
    const next = nextRecords(bob);
    const sending = rejection(() => alice.sendText(`"${"€".repeat(MIB / 3)}"`, { ...TO_BOB, confirm: true }), "too-large");
    await readUntilError(await next, "too-large");
    await sending;
  }));

test("registerRecordStreamHandler: schemas may take their time, and one that throws ends its stream", () =>
  inPair(async (alice, bob) => {
    const slow: StandardSchema = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value) => {
          await pause(1);
          if (value === 3) throw new Error("broken");
          return { value };
        },
      },
    };
    const incoming = nextRecords(bob, slow);
    const sending = rejection(() => alice.sendText("1\n2\n3\n4", { ...TO_BOB, confirm: true }), "cancelled");
    const { records, error } = await readUntilError(await incoming, "cancelled");
    assert.equal(records, [1, 2]);
    assert.match(error.message, "its schema failed at line 3 (broken)");
    assert.is((await sending).reason, "its schema failed at line 3"); // the cause stays here
  }));

test("registerRecordStreamHandler: shares its topics with text handlers, and unregisters only its own", () =>
  inPair(async (_, bob) => {
    bob.registerRecordStreamHandler("t", () => {});
    await rejection(() => bob.registerRecordStreamHandler("t", () => {}), "handler-exists");
    await rejection(() => bob.registerTextStreamHandler("t", () => {}), "handler-exists");
    bob.registerByteStreamHandler("t", () => {});
    bob.unregisterTextStreamHandler("t");
    await rejection(() => bob.registerRecordStreamHandler("t", () => {}), "handler-exists");
    bob.unregisterRecordStreamHandler("t");
    bob.registerTextStreamHandler("t", () => {});
    bob.unregisterRecordStreamHandler("t");
    await rejection(() => bob.registerRecordStreamHandler("t", () => {}), "handler-exists");
    bob.unregisterRecordStreamHandler("never registered");
  }));

test("registerRecordStreamHandler: wrong arguments are invalid", () =>
  inPair(async (_, bob) => {
    for (const topic of [undefined, null, 5]) {
      await rejection(() => bob.registerRecordStreamHandler(topic as never, () => {}), "invalid-argument");
      await rejection(() => bob.unregisterRecordStreamHandler(topic as never), "invalid-argument");
    }
    await rejection(() => bob.registerRecordStreamHandler("t", 5 as never), "invalid-argument");
    for (
      const options of [null, 5, { schema: {} }, { schema: "x" }, { schema: null }, { window: 0 }, { shema: SCHEMAS["zod"] }]
    ) {
      await rejection(() => bob.registerRecordStreamHandler("t", () => {}, options as object), "invalid-argument");
    }
    await bob.close();
    await rejection(() => bob.registerRecordStreamHandler("t", () => {}), "closed");
    bob.unregisterRecordStreamHandler("t");
  }));

test("RecordStreamReader: is consumed once, and its handler's failure cancels the stream", () =>
  inPair(async (alice, bob) => {
    bob.registerRecordStreamHandler("t", async (reader) => {
      assert.equal(await reader.readAll(), [1, 2]);
      await rejection(() => reader.readAll(), "closed");
      await rejection(async () => {
        for await (const record of reader) void record;
      }, "closed");
    });
    await alice.sendText("1\n2", { ...TO_BOB, confirm: true });
    bob.unregisterRecordStreamHandler("t");
    bob.registerRecordStreamHandler("t", () => Promise.reject(new Error("broken")));
    await rejection(() => alice.sendText("1", { ...TO_BOB, confirm: true }), "cancelled");
  }));

test("RecordStreamReader: leaving the loop, cancelling the web stream, and a signal cancel the stream", () =>
  inPair(async (alice, bob) => {
    const ways: readonly ((reader: RecordStreamReader) => Promise<unknown>)[] = [
      async (reader) => {
        for await (const record of reader) if (record === 1) break;
      },
      async (reader) => {
        const web = reader.readable.getReader();
        assert.equal(await web.read(), { done: false, value: 1 });
        await web.cancel("enough");
      },
      async (reader) => {
        const controller = new AbortController();
        const reading = rejection(() => reader.readAll({ signal: controller.signal }), "aborted");
        controller.abort();
        await reading;
      },
      async (reader) => await reader.cancel(),
    ];
    for (const way of ways) {
      const incoming = nextRecords(bob);
      const writer = await alice.streamRecords(TO_BOB);
      await writer.write(1);
      await way(await incoming);
      await until(() => writer.actor.getSnapshot().value === "failed");
      await rejection(() => writer.write(2), "cancelled");
      bob.unregisterRecordStreamHandler("t");
    }
  }));

test("RecordStreamReader: readAll gathers no more than its limit", () =>
  inPair(async (alice, bob) => {
    const outcome = new Deferred<unknown>();
    bob.registerRecordStreamHandler("t", (reader) => {
      reader.readAll().then(outcome.resolve, outcome.resolve);
    });
    const failed = rejection(() => alice.sendText("12345\n".repeat(200), { ...TO_BOB, confirm: true }), "too-large");
    await rejection(async () => Promise.reject(await outcome.promise), "too-large");
    await failed;
  }, { runtime: { limits: { readAllBytes: 1_000 } } }));

test("RecordStreamReader: the sender's departure ends it after the records that came", () =>
  inPair(async (alice, bob, room) => {
    const incoming = nextRecords(bob);
    const writer = await alice.streamRecords(TO_BOB);
    await writer.write({ n: 1 });
    const values = (await incoming)[Symbol.asyncIterator]();
    assert.equal((await values.next()).value, { n: 1 });
    room.hub.vanish("alice");
    await rejection(() => values.next(), "disconnected");
  }));

test("RecordStreamReader: 200,000 short records do not hold the event loop", () =>
  inPair(async (alice, bob) => {
    let count = 0;
    bob.registerRecordStreamHandler("t", async (reader) => {
      for await (const record of reader) count += (record as { n: number }).n;
    });
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    await alice.sendText('{"n":1}\n'.repeat(200_000), { ...TO_BOB, confirm: true });
    clearInterval(timer);
    assert.is(count, 200_000);
    assert.ok(turns > 5, `${turns} timers fired`);
  }));

test.run();
