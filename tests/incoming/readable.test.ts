// `reader.readable`: one web stream; for bytes, a byte stream.
import * as assert from "uvu/assert";
import type { ByteStreamReader, HubOptions } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { difference, joined, pattern } from "../support/bytes.ts";
import { nextBytes, nextText } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("StreamReader.readable");

const ALL = pattern(100_000);

/** Sends a byte stream, whose reader is used by its `readable`. */
async function withReader(
  body: (reader: ByteStreamReader) => Promise<void>,
  bytes: Uint8Array = ALL,
  { hub = {}, compress = false }: { hub?: HubOptions; compress?: boolean } = {},
): Promise<void> {
  await inPair(async (alice, bob) => {
    const opened = nextBytes(bob, "t");
    const sent = alice.sendBytes(bytes, { topic: "t", destinationIdentities: ["bob"], compress });
    sent.catch(() => {});
    await body(await opened);
    await sent;
  }, { hub });
}

test("StreamReader.readable is the same stream each time, before and after reading", () =>
  withReader(async (reader) => {
    const { readable } = reader;
    assert.is(reader.readable, readable);
    const parts: Uint8Array[] = [];
    for await (const part of reader.readable) parts.push(part);
    assert.is(reader.readable, readable);
    assert.equal(joined(parts), ALL);
    await rejection(() => reader.readAll(), "closed");
  }));

test("StreamReader.readable of text is the same stream each time", () =>
  inPair(async (alice, bob) => {
    const opened = nextText(bob, "t");
    await alice.sendText("Grüße", { topic: "t" });
    const reader = await opened;
    assert.is(reader.readable, reader.readable);
    let text = "";
    for await (const part of reader.readable) text += part;
    assert.is(text, "Grüße");
  }));

for (const size of [1, 7, 1_000, 15_000, 99_999, 100_000, 250_000]) {
  test(`StreamReader.readable: a BYOB reader with views of ${size} bytes gets all bytes, and its view back at the end`, () =>
    withReader(async ({ readable }) => {
      const bytes = size < 10 ? ALL.subarray(0, 500) : ALL;
      const byob = readable.getReader({ mode: "byob" });
      const parts: Uint8Array[] = [];
      for (;;) {
        const { done, value } = await byob.read(new Uint8Array(size));
        if (done) {
          assert.is(value?.length, 0);
          break;
        }
        assert.ok(value.length > 0 && value.length <= size);
        parts.push(value);
      }
      assert.equal(joined(parts), bytes);
    }, size < 10 ? ALL.slice(0, 500) : ALL));
}

for (
  const [name, options] of Object.entries(
    {
      "in the sender's memory": {},
      "checked by workers": { hub: { link: { kind: "reliable", delay: 1 } } },
      compressed: { compress: true },
    } as const,
  )
) {
  test(`StreamReader.readable: a BYOB reader and a default one, in turns, get frames ${name}`, () => {
    const sent = pattern(1_000_000);
    return withReader(
      async ({ readable }) => {
        const whole = new Uint8Array(sent.length);
        let at = 0;
        for (let turn = 0; at < sent.length; turn++) {
          const mode = turn % 3 === 2 ? undefined : "byob";
          const reader = mode === undefined ? readable.getReader() : readable.getReader({ mode });
          const { value } = mode === undefined
            ? await (reader as ReadableStreamDefaultReader<Uint8Array>).read()
            : await (reader as ReadableStreamBYOBReader).read(new Uint8Array(37_000));
          reader.releaseLock();
          if (value === undefined) break;
          whole.set(value, at);
          at += value.length;
          value.fill(0); // the array is the reader's own
        }
        assert.is(difference(whole, sent), difference(sent, sent));
        assert.is((await readable.getReader().read()).done, true);
      },
      sent,
      options,
    );
  });
}

test("StreamReader.readable: an empty stream ends at once for both kinds of reader", async () => {
  await withReader(async ({ readable }) => {
    assert.is((await readable.getReader().read()).done, true);
  }, new Uint8Array());
  await withReader(async ({ readable }) => {
    assert.is((await readable.getReader({ mode: "byob" }).read(new Uint8Array(5))).done, true);
  }, new Uint8Array());
});

test("StreamReader.readable: alternating reads with and without views lose nothing", () =>
  withReader(async ({ readable }) => {
    const parts: Uint8Array[] = [];
    for (let turn = 0, over = false; !over; turn++) {
      const reader = turn % 2 === 0 ? readable.getReader({ mode: "byob" }) : readable.getReader();
      const { done, value } = "readAtLeast" in reader || turn % 2 === 0
        ? await (reader as ReadableStreamBYOBReader).read(new Uint8Array(4_000))
        : await (reader as ReadableStreamDefaultReader<Uint8Array>).read();
      over = done;
      if (value !== undefined) parts.push(value);
      reader.releaseLock();
    }
    assert.equal(joined(parts), ALL);
  }));

test("StreamReader.readable can be piped, teed, and given to a Response", () =>
  withReader(async ({ readable }) => {
    const [one, two] = readable.tee();
    const [first, second] = await Promise.all([new Response(one).arrayBuffer(), new Response(two).arrayBuffer()]);
    assert.equal(new Uint8Array(first), ALL);
    assert.equal(new Uint8Array(second), ALL);
  }));

test("StreamReader.readable: cancel() cancels the stream, and a failed stream gives its error", () =>
  inPair(async (alice, bob) => {
    for (const mode of ["default", "byob"] as const) {
      for (const way of ["cancel", "abort"] as const) {
        const opened = nextBytes(bob, `${mode} ${way}`);
        const writer = await alice.streamBytes({ topic: `${mode} ${way}`, destinationIdentities: ["bob"], confirm: true });
        const received = await opened;
        const web = mode === "byob" ? received.readable.getReader({ mode }) : received.readable.getReader();
        if (way === "cancel") {
          await web.cancel("enough");
          const error = await rejection(() => writer.close(), "cancelled");
          assert.is(error.reason, "enough");
        } else {
          const read = web.read(new Uint8Array(5));
          read.catch(() => {});
          await writer.abort("no more");
          assert.is((await rejection(() => read, "aborted")).reason, "no more");
        }
      }
    }
  }));

test.run();
