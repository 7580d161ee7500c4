// Laws of any stream, over any link.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import * as assert from "uvu/assert";
import type { ByteStreamReader, Limits, StreamErrorCode, TextStreamReader } from "../../mod.ts";
import { StreamError } from "../../mod.ts";
import type { LinkOptions } from "../../transports/hub/link_options.ts";
import { pattern, same } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";

const test = suite("laws of streams");

/** Code units of every kind, among them lone surrogates. */
const unit = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }),
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
  fc.constantFrom(0xfeff, 0xd83d, 0xde00),
);
const text = fc.tuple(fc.array(unit, { maxLength: 30 }), fc.constantFrom(1, 1, 1, 7, 900))
  .map(([units, times]) => String.fromCharCode(...units).repeat(times));
const length = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 14_990, max: 15_010 }),
  fc.integer({ min: 0, max: 300_000 }),
);
const chunkSize = fc.oneof(fc.integer({ min: 4, max: 20 }), fc.integer({ min: 4, max: 60_000 }), fc.constant(15_000));
const receivers = fc.constantFrom(1, 1, 3);
const window = fc.constantFrom(60_000, 61_234, 250_000, 1_048_576);

/** Text as it arrives: invalid Unicode is replaced. */
function wellFormed(value: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(value));
}

interface Listening<T> {
  members: Member[];
  /** Contents that each receiver got. */
  got: Promise<T[]>;
}

async function listenForText(room: HubFixture, count: number, receiveWindow: number): Promise<Listening<string>> {
  const listening: Promise<string>[] = [];
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    const member = await room.join(`receiver ${i}`, { limits: { receiveWindow } });
    members.push(member);
    listening.push(
      new Promise((resolve, reject) => {
        member.runtime.registerTextStreamHandler("t", (reader) => reader.readAll().then(resolve, reject));
      }),
    );
  }
  return { members, got: Promise.all(listening) };
}

async function listenForBytes(
  room: HubFixture,
  count: number,
  receiveWindow: number,
  limits: Partial<Limits> = {},
): Promise<Listening<Uint8Array>> {
  const listening: Promise<Uint8Array>[] = [];
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    const member = await room.join(`receiver ${i}`, { limits: { ...limits, receiveWindow } });
    members.push(member);
    listening.push(
      new Promise((resolve, reject) => {
        member.runtime.registerByteStreamHandler("t", (reader) => reader.readAll().then(resolve, reject));
      }),
    );
  }
  return { members, got: Promise.all(listening) };
}

test("law: texts written in any parts arrive as written", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 12 }),
      chunkSize,
      receivers,
      window,
      async (parts, size, count, receiveWindow) => {
        await inVirtualTime(async (room) => {
          const { got } = await listenForText(room, count, receiveWindow);
          const alice = await room.join("alice", { chunkSize: size });
          const writer = await room.time.run(alice.runtime.streamText({ topic: "t" }));
          for (const part of parts) await room.time.run(writer.write(part));
          await room.time.run(writer.close());
          for (const received of await room.time.run(got)) assert.is(received, wellFormed(parts.join("")));
        });
      },
    ),
    { numRuns: 40 },
  );
});

test("law: a text sent by one call arrives unchanged", async () => {
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.constantFrom(1, 30),
      chunkSize,
      receivers,
      window,
      fc.boolean(),
      async (part, times, size, count, receiveWindow, confirm) => {
        const whole = part.repeat(times);
        await inVirtualTime(async (room) => {
          const { got } = await listenForText(room, count, receiveWindow);
          const alice = await room.join("alice", { chunkSize: size });
          const info = await room.time.run(alice.runtime.sendText(whole, { topic: "t", confirm }));
          assert.is(info.size, new TextEncoder().encode(whole).length);
          for (const received of await room.time.run(got)) assert.is(received, wellFormed(whole));
        });
      },
    ),
    { numRuns: 30 },
  );
});

test("law: bytes written in any parts, and sent by one call, arrive unchanged", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(length, { maxLength: 5 }),
      chunkSize,
      receivers,
      window,
      fc.boolean(),
      async (lengths, size, count, receiveWindow, atOnce) => {
        const parts = lengths.map((bytes, i) => pattern(size < 100 ? bytes % 5_000 : bytes, i));
        const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
        await inVirtualTime(async (room) => {
          const { got } = await listenForBytes(room, count, receiveWindow);
          const alice = await room.join("alice", { chunkSize: size });
          if (atOnce) await room.time.run(alice.runtime.sendBytes(whole, { topic: "t" }));
          else {
            const writer = await room.time.run(alice.runtime.streamBytes({ topic: "t" }));
            for (const part of parts) {
              await room.time.run(writer.write(part));
              part.fill(0); // taken: the array may be used again
            }
            await room.time.run(writer.close());
          }
          for (const received of await room.time.run(got)) {
            assert.ok(same(received, whole), `${received.length} of ${whole.length} bytes`);
          }
        });
      },
    ),
    { numRuns: 30 },
  );
});

test("law: files arrive unchanged", async () => {
  await inTemporaryFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(length, receivers, window, async (bytes, count, receiveWindow) => {
        const path = join(folder, "file.bin");
        await writeFile(path, pattern(bytes));
        await inVirtualTime(async (room) => {
          const limits = { idleTimeout: Infinity, stallTimeout: Infinity }; // virtual time is quicker than the disk
          const { got } = await listenForBytes(room, count, receiveWindow, limits);
          const alice = await room.join("alice", { limits });
          await room.time.run(alice.runtime.sendFile(path, { topic: "t" }));
          for (const received of await room.time.run(got)) assert.ok(same(received, pattern(bytes)));
        });
      }),
      { numRuns: 10 },
    );
  });
});

test("law: every chunk of a text is valid UTF-8 by itself, and no larger than requested", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 6 }), chunkSize, fc.boolean(), async (parts, size, atOnce) => {
      await inVirtualTime(async (room) => {
        const { got } = await listenForText(room, 1, 1_000_000);
        const alice = await room.join("alice", { chunkSize: size });
        const bystander = room.raw("bystander"); // another SDK: the broadcast is mixed, and plain
        if (atOnce) await room.time.run(alice.runtime.sendText(parts.join(""), { topic: "t", streamId: "s" }));
        else {
          const writer = await room.time.run(alice.runtime.streamText({ topic: "t", streamId: "s" }));
          for (const part of parts) await room.time.run(writer.write(part));
          await room.time.run(writer.close());
        }
        await room.time.run(got);
        const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
        let received = "";
        for (const [index, chunk] of bystander.of("chunk", "s").entries()) {
          assert.is(chunk.index, index);
          assert.ok(chunk.content.length <= size, `${chunk.content.length} of ${size} bytes`);
          received += decoder.decode(chunk.content);
        }
        assert.is(received, wellFormed(parts.join("")));
        assert.is(bystander.of("trailer", "s")[0]?.reason, "");
      });
    }),
    { numRuns: 40 },
  );
});

const seed = fc.integer({ min: 1, max: 2 ** 31 });

test("law: over a reliable link, however slow and lossy, all arrives, and at most the window is held", async () => {
  const link = fc.record({
    kind: fc.constant("reliable" as const),
    delay: fc.integer({ min: 0, max: 200 }),
    rate: fc.integer({ min: 50_000, max: 10_000_000 }),
    queue: fc.integer({ min: 0, max: 200_000 }),
    loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(
      link,
      seed,
      fc.array(length, { minLength: 1, maxLength: 4 }),
      window,
      async (options, number, lengths, receiveWindow) => {
        await inVirtualTime(async (room) => {
          const alice = await room.join("alice");
          const bob = await room.join("bob", { limits: { receiveWindow, stallTimeout: 600_000 } });
          await room.time.advance(3_000);
          const ends: Promise<number>[] = [];
          bob.runtime.registerByteStreamHandler("t", (reader) => void ends.push(readSlowly(room, reader, receiveWindow)));
          const sent = lengths.map((bytes) =>
            alice.runtime.sendBytes(pattern(bytes), { topic: "t", destinationIdentities: ["bob"] })
          );
          await room.time.run(Promise.all(sent));
          assert.equal((await room.time.run(Promise.all(ends))).sort(ascending), [...lengths].sort(ascending));
        }, { link: options, seed: number });
      },
    ),
    { numRuns: 20 },
  );
});

async function readSlowly(room: HubFixture, reader: ByteStreamReader, most: number): Promise<number> {
  const { content } = incomingOf(reader);
  let bytes = 0;
  for await (const part of reader) {
    assert.ok(content.held <= most, `${content.held} bytes held, of ${most}`);
    bytes += part.length;
    await new Promise<void>((resolve) => void room.time.setTimeout(resolve, 5));
  }
  return bytes;
}

/** Possible ends of a stream whose packets are lost. */
const LOST: ReadonlySet<StreamErrorCode> = new Set(["incomplete", "timeout", "disconnected", "aborted", "cancelled", "refused"]);

test("law: over a faulty link each stream ends with the right content or a code, and recovers", async () => {
  const link = fc.record({
    kind: fc.constant("faulty" as const),
    delay: fc.integer({ min: 0, max: 100 }),
    lose: fc.constantFrom(0, 0, 0.01, 0.1, 0.5),
    repeat: fc.constantFrom(0, 0.1, 0.5),
    reorder: fc.constantFrom(0, 0.1, 0.5),
    lateness: fc.integer({ min: 1, max: 100 }),
  });
  const send = fc.record({ kind: fc.constantFrom("bytes", "text", "tokens"), bytes: length, confirm: fc.boolean() });
  const partings = fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      link,
      seed,
      fc.array(send, { minLength: 1, maxLength: 4 }),
      partings,
      async (options, number, sends, cuts) => {
        await inVirtualPair(async (alice, bob, room) => {
          await room.time.advance(1);
          room.hub.link("alice", "bob", options);
          const expected = new Map<string, string>();
          const outcomes = new Map<string, Promise<string | StreamError>>();
          const note = (reader: TextStreamReader | ByteStreamReader): void => {
            const read: Promise<string> = reader.readAll().then((all) => typeof all === "string" ? all : fingerprint(all));
            outcomes.set(reader.info.streamId, read.catch(asStreamError));
          };
          bob.runtime.registerTextStreamHandler("t", note);
          bob.runtime.registerByteStreamHandler("t", note);
          const sent = sends.map(async ({ kind, bytes, confirm }, i): Promise<[string, StreamError | undefined, boolean]> => {
            const streamId = `s${i}`;
            const to = { topic: "t", streamId, destinationIdentities: ["bob"], confirm };
            const content = pattern(bytes, i);
            const words = `${i} ${"tök ".repeat(bytes % 5_000)}`;
            expected.set(streamId, kind === "bytes" ? fingerprint(content) : words);
            try {
              if (kind === "bytes") await alice.runtime.sendBytes(content, to);
              else if (kind === "text") await alice.runtime.sendText(words, to);
              else {
                const writer = await alice.runtime.streamText(to);
                for (const part of [words.slice(0, 9), words.slice(9, 1_000), words.slice(1_000)]) {
                  await writer.write(part);
                  await new Promise<void>((resolve) => void room.time.setTimeout(resolve, 50));
                }
                await writer.close();
              }
              return [streamId, undefined, confirm];
            } catch (error) {
              return [streamId, asStreamError(error), confirm];
            }
          });
          for (const ms of cuts) {
            room.hub.part("alice", "bob");
            await room.time.advance(ms);
            room.hub.heal("alice", "bob");
            await room.time.advance(ms);
          }
          for (const [streamId, error, confirm] of await room.time.run(Promise.all(sent))) {
            if (error !== undefined) assert.ok(LOST.has(error.code), `sender: ${error.code}`);
            else if (confirm) assert.is(await outcomes.get(streamId), expected.get(streamId), "confirmed");
          }
          await room.time.advance(120_000);
          for (const [streamId, outcome] of outcomes) {
            const end = await room.time.run(outcome);
            if (typeof end === "string") assert.is(end, expected.get(streamId));
            else assert.ok(LOST.has(end.code), `receiver: ${end.code}`);
          }
          // Credit of lost bytes has come back: bulk goes through.
          room.hub.link("alice", "bob", { kind: "reliable" } satisfies LinkOptions);
          await room.time.run(alice.runtime.sendBytes(pattern(2_000_000), { topic: "t", destinationIdentities: ["bob"] }));
        }, { seed: number });
      },
    ),
    { numRuns: 40 },
  );
}, { seconds: 60 });

function asStreamError(error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  throw error;
}

/** Bytes as a string that is quick to compare. */
function fingerprint(bytes: Uint8Array): string {
  let hash = 0;
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
  return `${bytes.length}:${hash}`;
}

function ascending(a: number, b: number): number {
  return a - b;
}

test.run();
