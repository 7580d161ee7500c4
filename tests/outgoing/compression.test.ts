// Compression of frames between runtimes: contents, sizes on the line, and the choice of an encoding.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as zlib from "node:zlib";
import * as assert from "uvu/assert";
import type { Runtime, SendBytesOptions, Transport } from "../../mod.ts";
import { bestEncoding } from "../../protocol/wire/frames.ts";
import { SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import { isPacked } from "../../protocol/packed_mime_types.ts";
import { spied } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { pattern, pseudorandom } from "../support/bytes.ts";
import { last } from "../support/handlers.ts";
import { withHostilePeer } from "../support/hub/hostile_peer.ts";
import { inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { frame, framedDigest } from "../support/hub/raw_participant.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { blockingEngine } from "../../workers/node/blocking_engine.ts";
import { compress, decompress } from "../../workers/jobs/compression.ts";
import { SlicedEngine } from "../../workers/node/sliced_engine.ts";
import { runAtOnce, runInTurns } from "../../workers/jobs/steps.ts";
import { ENCODINGS } from "../../workers/node/zlib.ts";

const test = suite("compression");

const LINE = { kind: "reliable", rate: 10_000_000, delay: 1 } as const;
const OPTIONS = { topic: "t", destinationIdentities: ["bob"] };

/** Lines of JSON. */
function jsonLines(bytes: number): Uint8Array {
  const lines: string[] = [];
  let length = 0;
  for (let index = 0; length < bytes; index++) {
    const line = JSON.stringify({ index, name: `user ${index * 7_919 % 10_007}`, even: index % 2 === 0 }) + "\n";
    lines.push(line);
    length += line.length;
  }
  return new TextEncoder().encode(lines.join("")).subarray(0, bytes);
}

/** Bytes of chunks that a send takes. Compares the received contents. */
async function taken(
  data: Uint8Array,
  send: (runtime: Runtime) => Promise<unknown>,
  link: typeof LINE | null = LINE,
): Promise<number> {
  let bytes = 0;
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { transport: counting(room.hub.join("alice"), (more) => void (bytes += more)) });
    const bob = await room.join("bob");
    await room.time.advance(1_000);
    let got: Promise<Uint8Array> | undefined;
    bob.runtime.registerByteStreamHandler("t", (reader) => void (got = reader.readAll()));
    await room.time.run(send(alice.runtime));
    await room.time.advance(1_000); // a send without receipts is over when the line has taken it
    assert.equal(await room.time.run(got ?? Promise.reject(new Error("Nothing came"))), data);
  }, link === null ? {} : { link });
  return bytes;
}

function counting(transport: Transport, count: (bytes: number) => void): Transport {
  return spied(transport, (packet) => {
    if (packet.type === "chunk") count(packet.content.length);
  }, { direct: transport.direct === true });
}

const sendBytes = (data: Uint8Array, options: SendBytesOptions = {}) => (runtime: Runtime): Promise<unknown> =>
  runtime.sendBytes(data, { ...OPTIONS, ...options });

test("compression: compressible bytes take less of a line", async () => {
  const data = jsonLines(1_000_000);
  assert.ok(await taken(data, sendBytes(data)) < data.length / 3);
});

test("compression: compressible parts of a writer, and files, take less as well", async () => {
  const data = jsonLines(700_000);
  const written = await taken(data, async (runtime) => {
    const writer = await runtime.streamBytes(OPTIONS);
    for (let at = 0; at < data.length; at += 999) await writer.write(data.subarray(at, at + 999));
    await writer.close();
  });
  assert.ok(written < data.length / 3, `${written} bytes`);
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "lines.json");
    await writeFile(path, data);
    assert.ok(await taken(data, (runtime) => runtime.sendFile(path, OPTIONS)) < data.length / 3);
  });
});

test("compression: incompressible data, compressed types and compress: false are sent unchanged", async () => {
  const noise = pseudorandom(500_000);
  const lines = jsonLines(500_000);
  for (const [data, options] of [[noise, {}], [lines, { mimeType: "image/png" }], [lines, { compress: false }]] as const) {
    const bytes = await taken(data, sendBytes(data, options));
    assert.ok(bytes >= data.length && bytes < 1.01 * data.length, `${bytes} of ${data.length}`);
  }
});

test("compression: on a hub without links nothing is compressed unless requested", async () => {
  const data = jsonLines(500_000);
  assert.ok(await taken(data, sendBytes(data), null) >= data.length);
  assert.ok(await taken(data, sendBytes(data, { compress: true }), null) < data.length / 3);
});

test("compression: compressible and incompressible frames of a stream are each sent in the smaller form", async () => {
  const data = new Uint8Array(2_000_000);
  data.set(jsonLines(1_000_000));
  data.set(pseudorandom(1_000_000), 1_000_000);
  const bytes = await taken(data, sendBytes(data));
  assert.ok(bytes > 1_000_000 && bytes < 1_500_000, `${bytes} bytes`);
});

test("compression: a long text is compressed, and arrives unchanged", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    await room.time.advance(1_000);
    const text = "zażółć gęślą jaźń 🦀\n".repeat(20_000);
    let got: Promise<string> | undefined;
    bob.runtime.registerTextStreamHandler("t", (reader) => void (got = reader.readAll()));
    const begin = room.time.now();
    await room.time.run(alice.runtime.sendText(text, { ...OPTIONS, confirm: true }));
    assert.is(await room.time.run(got ?? Promise.reject(new Error("Nothing came"))), text);
    assert.ok(room.time.now() - begin < 200, `${room.time.now() - begin} ms on a line that takes 520 for all of it`);
  }, { link: { ...LINE, rate: 1_000_000 } });
});

test("FrameEncoding: zstd if both ends have that, else deflate, else raw", () => {
  const [old, young] = [["raw", "deflate-raw"], ["raw", "deflate-raw", "zstd", "from the future"]];
  assert.is(bestEncoding([young, young]), "zstd");
  assert.is(bestEncoding([young, old]), "deflate-raw");
  assert.is(bestEncoding([young, ["raw"]]), "raw");
  assert.is(bestEncoding([young, []]), "raw");
});

test("FrameEncoding: a peer that knows only deflate gets deflate", async () => {
  await withHostilePeer(async ({ room, hostilePeer, bob }) => {
    await room.time.advance(10);
    hostilePeer.control({
      kind: "hello",
      instance: hostilePeer.instance,
      streamWindow: 1_000_000,
      credit: 1_000_000,
      idleTimeout: 30_000,
      encodings: ["raw", "deflate-raw"],
      answer: false,
    }, "bob");
    await room.time.advance(10);
    const data = jsonLines(100_000);
    void bob.runtime.sendBytes(data, { topic: "t", destinationIdentities: ["eve"], compress: true, confirm: false });
    await room.time.advance(10);
    const [stream] = hostilePeer.headers;
    const chunks = hostilePeer.of("chunk", stream?.streamId ?? "").map(({ content }) => content);
    const contents = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    const head = 2 + ((contents[0] ?? 0) << 8) + (contents[1] ?? 0);
    assert.equal(new Uint8Array(zlib.inflateRawSync(contents.subarray(head))), data);
  });
});

const MIME: [type: string, packed: boolean][] = [
  ["image/png", true],
  ["image/svg+xml", false],
  ["image/bmp", false],
  ["video/mp4", true],
  ["audio/mpeg", true],
  ["audio/wav", false],
  ["application/zip", true],
  ["application/x-7z-compressed", true],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", true],
  ["application/json", false],
  ["application/octet-stream", false],
  ["text/plain", false],
  ["", false],
];

for (const [type, packed] of MIME) {
  test(`isCompressed: ${type === "" ? "no type" : type} is ${packed ? "" : "not "}taken for compressed`, () =>
    assert.is(isPacked(type), packed));
}

const deflated = new Uint8Array(zlib.deflateRawSync(new Uint8Array(100_000)));
const honest = { encoding: "deflate-raw", length: 100_000, payload: deflated.length } as const;

test("decompress: frames that do not decompress as declared end their stream as corrupt", async () => {
  const digest = digestOfZeros(100_000);
  const lies: [what: string, contents: Uint8Array][] = [
    ["more than it says", frame(0, deflated, { ...honest, digest, length: 99_999 })],
    ["less than it says", frame(0, deflated, { ...honest, digest, length: 100_001 })],
    ["another digest", frame(0, deflated, { ...honest, digest: new Uint8Array(32) })],
    ["another encoding", frame(0, deflated, { ...honest, digest, encoding: "zstd" })],
    ["no such encoding", frame(0, deflated, { ...honest, digest, encoding: "rot13" as never })],
    ["noise", frame(0, pattern(500), { ...honest, digest, payload: 500 })],
    ["a payload as long as what it holds", frame(0, pattern(500), { ...honest, digest, length: 500, payload: 500 })],
  ];
  for (const [what, contents] of lies) {
    await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
      hostilePeer.open("bob", what, 0, { extension: { format: "framed" } });
      hostilePeer.chunk("bob", what, 0, contents);
      hostilePeer.trailer("bob", what, { bytes: 100_000, chunks: 1, digest: framedDigest(new Uint8Array(100_000)) });
      await room.time.advance(1);
      await rejection(() => room.time.run(last(readers).readAll()), "corrupt").catch((error) => {
        throw new Error(`Of ${what}`, { cause: error });
      });
      assert.is(bob.codec.segments.inUse, 0, what);
    });
  }
});

test("decompress: a frame that decompresses as declared is read", async () => {
  await withHostilePeer(async ({ room, hostilePeer, readers }) => {
    hostilePeer.open("bob", "s", 0, { extension: { format: "framed" } });
    hostilePeer.chunk("bob", "s", 0, frame(0, deflated, { ...honest, digest: digestOfZeros(100_000) }));
    hostilePeer.trailer("bob", "s", { bytes: 100_000, chunks: 1, digest: framedDigest(new Uint8Array(100_000)) });
    await room.time.advance(1);
    assert.equal(await room.time.run(last(readers).readAll()), new Uint8Array(100_000));
  });
});

function digestOfZeros(length: number): Uint8Array {
  return new Uint8Array(createHash("sha256").update(new Uint8Array(length)).digest());
}

test("decompress: a payload ends where its compressed stream ends", async () => {
  const plain = new Uint8Array(5_000).fill(7);
  for (const encoding of ENCODINGS) {
    if (encoding === "raw") continue;
    const packed = new Uint8Array(
      runAtOnce(compress(plain, { encoding, thorough: false, sample: false }, blockingEngine)) ?? assert.unreachable() as never,
    )
      .subarray(SEGMENT_HEADROOM);
    const how = { encoding, length: plain.length };
    const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(parts.flatMap((part) => [...part]));
    assert.is(runAtOnce(decompress(packed, how, blockingEngine))?.length, plain.length);
    const wrong = [
      joined(packed, new Uint8Array(1)),
      joined(packed, packed),
      packed.subarray(0, packed.length - 1),
      new Uint8Array(0),
    ];
    for (const payload of wrong) {
      assert.is(runAtOnce(decompress(payload, how, blockingEngine)), undefined, encoding);
      assert.is(await runInTurns(decompress(payload, how, new SlicedEngine(undefined))), undefined, encoding);
    }
    assert.is((await runInTurns(decompress(packed, how, new SlicedEngine(undefined))))?.length, plain.length);
  }
});

test.run();
