// Each code of errors.ts, caused by a public call, and seen at both ends where it has two.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { STREAM_ERROR_CODES } from "../../errors.ts";
import type { ByteStreamReader, StreamErrorCode } from "../../mod.ts";
import { createHub, createRuntime, StreamError } from "../../mod.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import type { CodecPool } from "../../workers/pool/options.ts";
import { altered } from "../support/hub/altered_transport.ts";
import { collectReaders, last, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, type Member } from "../support/hub/hub_fixture.ts";
import { digestOf } from "../support/hub/raw_participant.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("error codes");
// Files are read and written in real time, which virtual time would overtake: calls on files are awaited by themselves.
const provoked = new Set<StreamErrorCode>();

interface Pair {
  room: HubFixture;
  alice: Member;
  bob: Member;
  readers: ByteStreamReader[];
}

/** A test of one code, with Alice and Bob, whose readers are gathered. */
function provoke(code: StreamErrorCode, how: string, body: (pair: Pair) => Promise<void>): void {
  test(`${code}: ${how}`, async () => {
    await inVirtualPair(async (alice, bob, room) => {
      const readers = collectReaders(bob.runtime);
      await body({ room, alice, bob, readers });
    });
    provoked.add(code);
  });
}

provoke("closed", "a writer, a reader and a runtime after their end", async ({ room, alice, bob, readers }) => {
  const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
  await room.time.run(writer.close());
  await rejection(() => writer.write(pattern(1)), "closed");
  await rejection(() => writer.close(), "closed");
  await room.time.advance(1);
  await room.time.run(last(readers).readAll());
  await rejection(() => last(readers).readAll(), "closed");
  await room.time.run(bob.runtime.close());
  await rejection(() => bob.runtime.sendText("x"), "closed");
});

provoke("aborted", "by the writer, by a signal, and as the reader is told", async ({ room, alice, readers }) => {
  const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
  await room.time.advance(1);
  await room.time.run(writer.abort("enough"));
  await rejection(() => writer.write(pattern(1)), "aborted");
  const read = await rejection(() => room.time.run(last(readers).readAll()), "aborted");
  assert.is(read.reason, "enough");
  assert.is(read.identity, "alice");
  const signal = AbortSignal.abort(new Error("why"));
  const sent = await rejection(() => alice.runtime.sendText("x", { ...TO_BOB, signal }), "aborted");
  assert.is((sent.cause as Error).message, "why");
});

provoke("cancelled", "by the reader, and by a handler that throws", async ({ room, alice, bob, readers }) => {
  const sending = alice.runtime.sendBytes(pattern(10), TO_BOB);
  sending.catch(() => {});
  await room.time.advance(20);
  await last(readers).cancel("no more");
  await rejection(() => last(readers).readAll(), "cancelled");
  assert.is((await rejection(() => room.time.run(sending), "cancelled")).reason, "no more");
  bob.runtime.registerTextStreamHandler("t", () => Promise.reject(new Error("broken")));
  await rejection(() => room.time.run(alice.runtime.sendText("x", { ...TO_BOB, confirm: true })), "cancelled");
  assert.is(bob.errors.length, 1);
});

provoke("disconnected", "as nobody is there, and as the other leaves", async ({ room, alice, readers }) => {
  await rejection(() => alice.runtime.sendText("x", { destinationIdentities: ["nobody"] }), "disconnected");
  const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
  await room.time.advance(1);
  room.hub.vanish("bob");
  await room.time.advance(1);
  await rejection(() => writer.write(pattern(1)), "disconnected");
  await rejection(() => last(readers).readAll(), "disconnected");
});

provoke("timeout", "as the reader takes nothing", async ({ room, alice, readers }) => {
  await rejection(() => room.time.run(alice.runtime.sendBytes(pattern(2_000_000), TO_BOB)), "timeout");
  await room.time.advance(1);
  await rejection(() => room.time.run(last(readers).readAll()), "timeout");
});

provoke("incomplete", "as less was written than announced", async ({ room, alice, readers }) => {
  const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOB, totalSize: 10 }));
  await writer.write(pattern(9));
  await rejection(() => room.time.run(writer.close()), "incomplete");
  await room.time.advance(1);
  await rejection(() => room.time.run(last(readers).readAll()), "incomplete");
});

provoke("too-large", "as more was written than announced, or than the receiver takes", async ({ room, alice, readers }) => {
  const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOB, totalSize: 10 }));
  await rejection(() => writer.write(pattern(11)), "too-large");
  await room.time.advance(1);
  await rejection(() => room.time.run(last(readers).readAll()), "aborted");
  await room.join("small", { limits: { streamBytes: 10 } });
  const to = { topic: "t", destinationIdentities: ["small"] };
  await rejection(() => room.time.run(alice.runtime.sendBytes(pattern(11), to)), "too-large");
});

provoke("corrupt", "as other bytes came than the digest is of", async ({ room, bob, readers }) => {
  const eve = room.raw("eve");
  eve.open("bob", "s", 0);
  eve.chunk("bob", "s", 0, pattern(10));
  eve.trailer("bob", "s", { bytes: 10, chunks: 1, digest: digestOf(pattern(9)) });
  await room.time.advance(1);
  await rejection(() => room.time.run(last(readers).readAll()), "corrupt");
  assert.equal(bob.errors, []);
});

provoke("refused", "as nobody handles the topic, and as the receiver has enough", async ({ room, alice }) => {
  await rejection(() => room.time.run(alice.runtime.sendBytes(pattern(1), { ...TO_BOB, topic: "another" })), "refused");
  const full = await room.join("full", { limits: { streams: 0 } });
  await rejection(() => room.time.run(alice.runtime.sendBytes(pattern(1), { destinationIdentities: ["full"] })), "refused");
  assert.equal(full.errors.map(({ code }) => code), ["refused"]);
});

provoke("invalid-argument", "before anything is sent", async ({ room, alice }) => {
  const eve = room.raw("eve");
  await room.time.advance(1);
  await rejection(() => alice.runtime.sendText(1 as unknown as string), "invalid-argument");
  await rejection(() => alice.runtime.sendText("x", { destinationIdentities: [] }), "invalid-argument");
  await rejection(() => alice.runtime.streamBytes({ totalSize: -1 }), "invalid-argument");
  await rejection(() => alice.runtime.registerTextStreamHandler("t", 1 as never), "invalid-argument");
  await rejection(() => createRuntime({} as never), "invalid-argument");
  assert.equal(eve.headers, []);
});

provoke("handler-exists", "as the topic has one of that kind", async ({ bob }) => {
  await rejection(() => bob.runtime.registerByteStreamHandler("t", () => {}), "handler-exists");
  bob.runtime.registerTextStreamHandler("t", () => {});
  await rejection(() => bob.runtime.registerTextStreamHandler("t", () => {}), "handler-exists");
});

provoke("duplicate-stream", "as the id is in use here; another sender may use it too", async ({ room, alice, bob }) => {
  const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOB, streamId: "s" }));
  await rejection(() => alice.runtime.streamText({ streamId: "s" }), "duplicate-stream");
  await room.time.run(bob.runtime.sendText("x", { streamId: "s" }));
  await room.time.run(writer.close());
  await room.time.run(alice.runtime.sendText("x", { streamId: "s" }));
});

provoke("unsafe-name", "as nothing of the sender's name can be used", async ({ room, alice, readers }) => {
  await inTemporaryFolder(async (folder) => {
    const sending = alice.runtime.sendBytes(pattern(10), { ...TO_BOB, name: ".." });
    sending.catch(() => {});
    await room.time.advance(20);
    await rejection(() => last(readers).saveTo(`${folder}/`), "unsafe-name");
    await rejection(() => room.time.run(sending), "unsafe-name");
  });
});

provoke("file-exists", "as the path given in full is taken", async ({ room, alice, readers }) => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "taken");
    await writeFile(path, "here already");
    const sending = alice.runtime.sendBytes(pattern(10), TO_BOB);
    sending.catch(() => {});
    await room.time.advance(20);
    await rejection(() => last(readers).saveTo(path), "file-exists");
    await rejection(() => room.time.run(sending), "file-exists");
  });
});

provoke(
  "file-error",
  "as there is no such file, and as a file stands where a folder should",
  async ({ room, alice, readers }) => {
    await inTemporaryFolder(async (folder) => {
      const missing = await rejection(() => alice.runtime.sendFile(join(folder, "missing")), "file-error");
      assert.is((missing.cause as { code?: string }).code, "ENOENT");
      await mkdir(join(folder, "sub"));
      await writeFile(join(folder, "file"), "");
      const sending = alice.runtime.sendBytes(pattern(10), TO_BOB);
      sending.catch(() => {});
      await room.time.advance(20);
      const error = await rejection(() => last(readers).saveTo(join(folder, "file", "below")), "file-error");
      assert.ok(error.cause instanceof Error);
      await rejection(() => room.time.run(sending), "file-error");
    });
  },
);

provoke("worker-lost", "as the workers died of its bytes, twice", async ({ room, readers }) => {
  const codec = createInlineCodec();
  const dying = Object.assign(Object.create(codec) as CodecPool, {
    segments: codec.segments,
    slice: () => Promise.reject(new StreamError("worker-lost", "Cannot carry out the job as its worker died")),
  });
  const carol = await room.join("carol", { pool: dying });
  await rejection(() => room.time.run(carol.runtime.sendBytes(pattern(100_000), TO_BOB)), "worker-lost");
  await room.time.advance(1);
  await rejection(() => room.time.run(last(readers).readAll()), "aborted");
});

provoke("transport", "as the transport cannot take a packet", async ({ room, readers }) => {
  let chunks = 0;
  const carol = await room.join("nobody", {
    transport: altered(room.hub.join("carol"), (inner) => ({
      send: (packet, destinations) =>
        packet.type === "chunk" && ++chunks === 2 ? Promise.reject(new Error("no cable")) : inner.send(packet, destinations),
    })),
  });
  const error = await rejection(() => room.time.run(carol.runtime.sendBytes(pattern(40_000), TO_BOB)), "transport");
  assert.is((error.cause as Error).message, "no cable");
  await room.time.advance(1);
  await rejection(() => room.time.run(last(readers).readAll()), "aborted");
});

test("STREAM_ERROR_CODES: is complete", () => {
  assert.equal([...provoked].sort(), [...STREAM_ERROR_CODES].sort());
});

test("StreamError: says what, why and of which stream, and carries its cause", async () => {
  const alice = await createRuntime({ transport: createHub().join("alice"), pool: false });
  const writer = await alice.streamText({ streamId: "s" });
  await writer.close();
  const error = await rejection(() => writer.write("x"), "closed");
  assert.ok(error instanceof StreamError);
  assert.is(error.message, 'Cannot write to the stream as it is closed: stream id is "s"');
  assert.is(error.streamId, "s");
  await alice.close();
});

test.run();
