// Frames that a hub hands over in the sender's memory: contents, memory, and who gets chunks instead.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { ByteStreamReader } from "../../mod.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import { FrameParser } from "../../protocol/wire/frames.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import type { SharingTransport } from "../../transports/transport.ts";
import type { Job, JobResult } from "../../workers/jobs/job.ts";
import type { JobOptions } from "../../workers/codec.ts";
import { NodePool } from "../../workers/pool/node_pool.ts";
import { createSegmentStore, type Segment } from "../../workers/segments.ts";
import { difference, pattern } from "../support/bytes.ts";
import { collectReaders } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { HubFixture, inPair, inRealTime, inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { macrotask, until } from "../support/waiting.ts";

const test = suite("SharedFrame");

const BYTES = 3 * SEGMENT_BYTES + 20_001;

test("SharedFrame: each way of sending and of reading gives the content that was sent", () =>
  inTemporaryFolder(async (folder) => {
    const sent = pattern(BYTES);
    const text = "ä€𝄞x".repeat(BYTES / 10);
    await writeFile(join(folder, "sent.bin"), sent);
    await inPair(async (alice, bob) => {
      const got: string[] = [];
      const note = (how: string, bytes: Uint8Array): void => void got.push(`${how} ${difference(bytes, sent)}`);
      bob.registerByteStreamHandler("readAll", async (reader) => note("readAll", await reader.readAll()));
      bob.registerByteStreamHandler("loop", async (reader) => note("loop", await gathered(reader)));
      bob.registerByteStreamHandler("saveTo", async (reader) => {
        const { path } = await reader.saveTo(`${folder}/`, { overwrite: true });
        note("saveTo", await readFile(path));
      });
      bob.registerTextStreamHandler("text", async (reader) => void got.push(`text ${await reader.readAll() === text}`));
      const ways = ["readAll", "loop", "saveTo"];
      for (const topic of ways) {
        await alice.sendBytes(sent, { topic, name: "got.bin" });
        await alice.sendFile(join(folder, "sent.bin"), { topic, name: "got.bin" });
        const writer = await alice.streamBytes({ topic, name: "got.bin", confirm: true });
        for (let at = 0; at < sent.length; at += 70_001) await writer.write(sent.subarray(at, at + 70_001));
        await writer.close();
      }
      await alice.sendText(text, { topic: "text", confirm: true });
      const expected = ways.flatMap((way) => Array<string>(3).fill(`${way} ${difference(sent, sent)}`));
      await until(() => got.length > expected.length); // a saved file is read after its receipt
      assert.equal(got.sort(), [...expected, "text true"].sort());
    });
  }));

test("SharedFrame: a frame is hashed once, by its sender", () =>
  inTemporaryFolder(async (folder) => {
    const pool = new NotedPool({ size: 1 });
    await inPair(async (alice, bob) => {
      bob.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
      bob.registerByteStreamHandler("save", async (reader) => void await reader.saveTo(`${folder}/`));
      bob.registerTextStreamHandler("text", async (reader) => void await reader.readAll());
      await alice.sendBytes(pattern(BYTES), { topic: "read" });
      await alice.sendBytes(pattern(BYTES), { topic: "save", name: "x" });
      await alice.sendText("x".repeat(BYTES), { topic: "text", confirm: true });
    }, { runtime: { pool } });
    await pool.close();
    assert.equal([...pool.kinds].sort(), ["slice", "writeFile without a digest"]);
  }));

test("SharedFrame: arrays of a reader are its own, beside another receiver and later sends", () =>
  inRealTime(async (room) => {
    const sent = pattern(BYTES);
    const { runtime: alice } = await room.join("alice");
    const got: Promise<Uint8Array>[] = [];
    for (const name of ["bob", "carol"]) {
      const { runtime } = await room.join(name);
      runtime.registerByteStreamHandler("t", (reader) => {
        const all = name === "bob" ? spoiled(reader) : gathered(reader);
        got.push(all);
        return all.then(() => {});
      });
    }
    for (let i = 0; i < 3; i++) await alice.sendBytes(sent, { topic: "t", destinationIdentities: ["bob", "carol"] });
    for (const bytes of await Promise.all(got)) assert.is(difference(bytes, sent), difference(sent, sent));
  }));

test("SharedFrame: a reader that stops holds no more of the sender's memory than its window", () =>
  inVirtualPair(async (alice, bob, { time }) => {
    const readers = collectReaders(bob.runtime);
    const writer = await time.run(alice.runtime.streamBytes({ topic: "t" }));
    const writing = writer.write(pattern(40 * SEGMENT_BYTES)).catch(() => {});
    await time.advance(1_000);
    const { inUse } = alice.codec.segments;
    const most = 1024 * 1024 + 10 * (SEGMENT_HEADROOM + SEGMENT_BYTES); // the window, the queue and the next segment
    assert.ok(inUse > SEGMENT_BYTES && inUse <= most, `${inUse}, of ${most} allowed`);
    await time.run(readers[0]?.cancel() ?? Promise.resolve());
    await time.run(writing);
    await time.advance(10);
    assert.is(alice.codec.segments.inUse, 0);
  }));

test("SharedFrame: a stream is whole if its receiver or sender is frozen at any moment, and thawed", async () => {
  for (let steps = 0; steps < 40; steps++) {
    const frozen = steps % 3 === 0 ? "alice" : "bob";
    await inVirtualTime(async (room) => {
      const sent = pattern(BYTES);
      const alice = await room.join("alice");
      const bob = await room.join("bob");
      const got: Uint8Array[] = [];
      bob.runtime.registerByteStreamHandler("t", async (reader) => void got.push(await reader.readAll()));
      const sending = alice.runtime.sendBytes(sent, { topic: "t", destinationIdentities: ["bob"] });
      for (let step = 0; step < steps; step++) await (step % 4 === 3 ? macrotask() : Promise.resolve());
      room.hub.freeze(frozen);
      await room.time.advance(100);
      room.hub.thaw(frozen);
      await room.time.run(sending);
      await room.time.run(() => got.length > 0); // the handler goes on after its receipt
      assert.is(difference(got[0] ?? new Uint8Array(0), sent), difference(sent, sent), `${frozen} frozen after ${steps} steps`);
    });
  }
});

test("SharedFrame: a participant with a transport's plain events gets chunks, on a hub with and without links", async () => {
  const linked = new HubFixture({ clock: "virtual", hub: { link: { kind: "reliable", delay: 1 } } });
  const plain = new HubFixture({ clock: "virtual" });
  try {
    for (const room of [linked, plain]) {
      const alice = await room.join("alice");
      const eve = room.raw("eve");
      eve.hello("alice");
      await room.time.advance(10);
      const kinds: string[] = [];
      let chunkBytes = 0;
      eve.react = (packet: Packet) => {
        kinds.push(packet.type);
        if (packet.type === "chunk") chunkBytes = Math.max(chunkBytes, packet.content.length);
      };
      const writer = await room.time.run(alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["eve"] }));
      await room.time.run(writer.write(pattern(SEGMENT_BYTES)));
      await room.time.advance(100);
      assert.ok(kinds.filter((kind) => kind === "chunk").length >= 4, kinds.join());
      assert.ok(chunkBytes <= 60_000);
      await room.time.run(writer.abort());
    }
  } finally {
    await linked[Symbol.asyncDispose]();
    await plain[Symbol.asyncDispose]();
  }
});

test("SharedFrame: a frame of another making is ignored, and the stream goes on", () =>
  inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    const readers = collectReaders(bob.runtime);
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(10);
    eve.open("bob", "s", 0, { size: 3, kind: "bytes", extension: { format: "plain" } });
    await room.time.advance(1);
    const { transport } = eve;
    for (const forged of [{ streamId: "s" }, { streamId: "s", index: 0, header: {}, memory: {}, start: 0 }, 5, "x"]) {
      await (transport as SharingTransport).share(forged as unknown as SharedFrame, ["bob"]);
    }
    eve.chunk("bob", "s", 0, pattern(3));
    eve.trailer("bob", "s", { bytes: 3, chunks: 1, digest: createHash("sha256").update(pattern(3)).digest("base64") });
    assert.equal(await room.time.run(readers[0]?.readAll() ?? Promise.reject(new Error("No stream came"))), pattern(3));
  }));

test("SharedFrame: small frames that wait behind a shared one are not joined with it", () =>
  inVirtualPair(async (alice, bob, { time }) => {
    const readers = collectReaders(bob.runtime);
    const writer = await time.run(alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"], confirm: true }));
    const sent = pattern(50 * 15_600);
    for (let at = 0; at < sent.length; at += 15_600) {
      await time.run(writer.write(sent.subarray(at, at + 15_500)));
      await time.advance(11); // a segment of its own
      await time.run(writer.write(sent.subarray(at + 15_500, at + 15_600)));
      await time.advance(11);
    }
    const closed = writer.close();
    const whole = await time.run(readers[0]?.readAll() ?? Promise.reject(new Error("No stream came")));
    assert.is(difference(whole, sent), difference(sent, sent));
    await time.run(closed);
  }));

test("SharedFrame.toChunk: is the frame as bytes, copied", () => {
  const segment = createSegmentStore().acquire();
  segment.bytes.set(pattern(50_000), SEGMENT_HEADROOM);
  const digest = new Uint8Array(32).fill(5);
  const header = { offset: 0, length: 50_000, encoding: "raw", digest, payload: 50_000 } as const;
  const frame = new SharedFrame("s", 7, header, segment, SEGMENT_HEADROOM);
  const { streamId, index, content } = frame.toChunk();
  segment.bytes.fill(0);
  const read = new Uint8Array(50_000);
  const parser = new FrameParser<true>({
    begin: (found) => {
      assert.equal(found, header);
      return true;
    },
    put: (_, at, part) => read.set(part, at),
    end: () => {},
  });
  assert.is(parser.push(content), content.length);
  assert.is(difference(read, pattern(50_000)), difference(read, read));
  assert.equal([streamId, index], ["s", 7]);
});

test.run();

async function gathered(reader: ByteStreamReader): Promise<Uint8Array> {
  const bytes = new Uint8Array(BYTES);
  let at = 0;
  for await (const part of reader) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Gathers a stream, and overwrites each array that the reader gave. */
async function spoiled(reader: ByteStreamReader): Promise<Uint8Array> {
  const bytes = new Uint8Array(BYTES);
  let at = 0;
  for await (const part of reader) {
    bytes.set(part, at);
    at += part.length;
    part.fill(255);
  }
  return bytes;
}

/** A pool that notes the kinds of its jobs. */
class NotedPool extends NodePool {
  readonly kinds = new Set<string>();

  protected override submit(job: Job, segment: Segment, options: JobOptions): Promise<JobResult> {
    this.kinds.add(job.kind === "writeFile" && job.digest === undefined ? "writeFile without a digest" : job.kind);
    return super.submit(job, segment, options);
  }
}
