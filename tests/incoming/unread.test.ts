// Streams whose handler has returned and that nobody reads.
import * as assert from "uvu/assert";
import type { ByteStreamReader, StreamError } from "../../mod.ts";
import { collectReaders, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("UnreadWatch");

const limits = { unreadTimeout: 5_000, idleTimeout: 60_000, stallTimeout: 60_000 };

for (const [what, bytes] of [["in one packet", 10], ["of one frame", 20_000], ["beyond its window", 3_000_000]] as const) {
  test(`UnreadWatch: a stream ${what} that nobody begins to read ends as cancelled at both ends, with the reason`, async () => {
    await inVirtualTime(async (room) => {
      const [alice, bob] = [await room.join("alice", { limits }), await room.join("bob", { limits })];
      let end: StreamError | undefined;
      bob.runtime.registerByteStreamHandler("t", (reader) => {
        reader.closed.catch((error: StreamError) => (end = error)); // to look at the end is not to read
      });
      const error = await rejection(() => room.time.run(alice.runtime.sendBytes(pattern(bytes), TO_BOB)), "cancelled");
      assert.is(room.time.now(), 5_000);
      assert.is(end?.code, "cancelled");
      assert.is(error.reason, end?.reason);
      assert.match(error.reason ?? "", /nobody reads it/);
      await alice.runtime.sendBytes(pattern(1), { ...TO_BOB, confirm: false });
    });
  });
}

const CONSUMERS: Readonly<Record<string, (reader: ByteStreamReader) => Promise<unknown>>> = {
  readAll: (reader) => reader.readAll(),
  iteration: async (reader) => {
    for await (const _ of reader);
  },
  readable: (reader) => new Response(reader.readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
};

for (const [name, consume] of Object.entries(CONSUMERS)) {
  test(`UnreadWatch: a stream that ${name} begins to read in time goes on however late its bytes come`, async () => {
    await inVirtualTime(async (room) => {
      const [alice, bob] = [await room.join("alice", { limits }), await room.join("bob", { limits })];
      const readers = collectReaders(bob.runtime);
      const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOB, confirm: true }));
      await room.time.advance(4_999);
      const read = consume(readers[0] as ByteStreamReader);
      await room.time.advance(50_000);
      await room.time.run(writer.write(pattern(10)));
      await room.time.run(Promise.all([writer.close(), read]));
    });
  });
}

test("UnreadWatch: a running handler keeps its stream, read or not", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice", { limits }), await room.join("bob", { limits })];
    let finish: () => void = () => {};
    bob.runtime.registerByteStreamHandler("t", async (reader) => {
      await new Promise<void>((resolve) => (finish = resolve));
      await reader.readAll();
    });
    const sending = alice.runtime.sendBytes(pattern(10), TO_BOB);
    await room.time.advance(30_000);
    finish();
    await room.time.run(sending);
  });
});

test("UnreadWatch: a save to an invalid path leaves the stream to another consumer, with new time", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice", { limits }), await room.join("bob", { limits })];
    const readers = collectReaders(bob.runtime);
    const sending = alice.runtime.sendBytes(pattern(10), TO_BOB);
    await room.time.advance(4_000);
    await rejection(() => readers[0]?.saveTo(""), "invalid-argument");
    await room.time.advance(4_000);
    await room.time.run(Promise.all([sending, readers[0]?.readAll()]));
  });
});

test.run();
