// needs: redis
// Two servers with one Redis are one place. A participant may be connected to either.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { type ByteStreamReader, createRuntime, type Runtime, StreamError, type TextStreamReader } from "../../../mod.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { sha256 } from "../../support/bytes.ts";
import { suite } from "../../support/harness.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { overhear, type Overheard } from "../../support/livekit/recorder.ts";
import { closeRooms, connect, disposeAll, type Room } from "../../support/livekit/rooms.ts";
import { startRedis, startServer, type TestServer } from "../../../bench/support/server.ts";

const BYTES = 5_000_000;
/** Time-outs that bound the silence of a dead server. */
const LIMITS = { idleTimeout: 10_000, foreignIdleTimeout: 15_000 };

const test = suite("two servers");

test(
  "two servers: text, bytes and files cross both ways, and targeted streams reach their receiver only",
  () =>
    inTemporaryFolder((folder) =>
      onTwoServers(async ({ alice, bob, carol, overheard }) => {
        const file = join(folder, "report.bin");
        await writeFile(file, noise(300_000));
        for (const [from, to] of [[alice, bob], [bob, alice]] as const) {
          const targeted = { destinationIdentities: [to.identity] };
          const text = next(to, "text", "chat", (reader: TextStreamReader) => reader.readAll());
          const { streamId: textId } = await from.sendText("across, größe 😀", { topic: "chat", ...targeted });
          assert.is(await text, "across, größe 😀");

          const bytes = next(to, "bytes", "samples", (reader: ByteStreamReader) => reader.readAll());
          const sent = noise(BYTES);
          const { streamId: bytesId, receipts } = await from.sendBytes(sent, { topic: "samples", ...targeted });
          assert.equal(receipts, [{ identity: to.identity, bytes: BYTES }]);
          assert.is(sha256(await bytes), sha256(sent));

          const saved = next(to, "bytes", "reports", (reader: ByteStreamReader) => reader.saveTo(`${folder}/${to.identity}/`));
          const { streamId: fileId } = await from.sendFile(file, { topic: "reports", ...targeted });
          assert.is(sha256(await readFile((await saved).path)), sha256(await readFile(file)));

          // A later stream that has arrived proves, by the order of packets, that no earlier packet is still on its way to Carol.
          const heard = plainText(carol, "all");
          const broadcast = next(to, "text", "all", (reader: TextStreamReader) => reader.readAll());
          await from.sendText("for all", { topic: "all" });
          assert.equal(await Promise.all([heard, broadcast]), [`${from.identity}: for all`, "for all"]);
          carol.unregisterTextStreamHandler("all");
          assert.equal(overheard.filter(({ streamId }) => [textId, bytesId, fileId].includes(streamId)), []);
        }

        // The plain SDK's streams, from its server to both.
        const heard = [alice, bob].map((to) => next(to, "text", "from carol", (reader: TextStreamReader) => reader.readAll()));
        await carol.localParticipant?.sendText("plain", { topic: "from carol" });
        assert.equal(await Promise.all(heard), ["plain", "plain"]);
      })
    ),
  { seconds: 60 },
);

for (const killed of ["holder", "other"] as const) {
  const title = killed === "holder" ? "the server that holds the room" : "the server that one of them is connected to";
  test(
    `two servers: when ${title} is killed, open streams end at both ends`,
    () =>
      onTwoServers(async ({ servers, alice, bob }) => {
        const atBob = next(bob, "bytes", "samples", (reader: ByteStreamReader) => Promise.resolve(reader));
        const atAlice = next(alice, "text", "chat", (reader: TextStreamReader) => Promise.resolve(reader));
        const bytes = await alice.streamBytes({ topic: "samples", destinationIdentities: ["bob"] });
        const talk = await bob.streamText({ topic: "chat", destinationIdentities: ["alice"] });
        await bytes.write(noise(20_000));
        await talk.write("so far");
        const readers = [await atBob, await atAlice] as const;
        const killedAt = performance.now();
        await servers[killed].kill();
        const endings = await Promise.all([
          ending(() => drain(readers[0])),
          ending(() => drain(readers[1])),
          ending(() => keepWriting(() => bytes.write(noise(100)))),
          ending(() => keepWriting(() => talk.write("more "))),
        ]);
        for (const code of endings) assert.ok(["disconnected", "timeout"].includes(code), code);
        assert.ok(performance.now() - killedAt < 20_000);
        assert.is(bytes.actor.getSnapshot().value, "failed");
        assert.is(talk.actor.getSnapshot().value, "failed");
      }),
    { seconds: 60 },
  );
}

test.after(disposeAll);
test.run();

interface TwoServers {
  /** All packets of a room go through the one server that holds it; participants may be connected to another. */
  readonly servers: { readonly holder: TestServer; readonly other: TestServer };
  /** Runtime on the server that holds the room. */
  readonly alice: Runtime;
  /** Runtime on the other server. */
  readonly bob: Runtime;
  /** Participant without Millrace, on the other server. */
  readonly carol: Room;
  /** Packets that reach Carol. */
  readonly overheard: Overheard[];
}

async function onTwoServers(body: (halls: TwoServers) => Promise<void>): Promise<void> {
  await using redis = await startRedis();
  await using holder = await startServer({ redis: redis.address });
  const runtimes: Runtime[] = [];
  const start = async (room: Room): Promise<Runtime> => {
    const runtime = await createRuntime({ transport: livekit(room), limits: LIMITS });
    runtimes.push(runtime);
    return runtime;
  };
  try {
    const hers = await connect(holder, "alice", "room"); // the room is this server's, as there is no other yet
    const alice = await start(hers);
    await using other = await startServer({ redis: redis.address });
    const carol = await connect(other, "carol", "room");
    const bob = await start(await connect(other, "bob", "room"));
    await untilTold(hers, "carol"); // a broadcast is for those who are known
    await body({ servers: { holder, other }, alice, bob, carol, overheard: overhear(carol) });
  } finally {
    await Promise.all(runtimes.map((runtime) => runtime.close()));
    await closeRooms();
  }
}

/** Resolves when the server has told a Room of a participant. */
function untilTold(room: Room, identity: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!room.remoteParticipants.has(identity)) return;
      room.off("participantConnected", look);
      resolve();
    };
    room.on("participantConnected", look);
    look();
  });
}

/** Result of a handler for the next stream of a topic. */
function next<T, R extends TextStreamReader | ByteStreamReader>(
  to: Runtime,
  kind: "text" | "bytes",
  topic: string,
  take: (reader: R) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const handler = (reader: TextStreamReader | ByteStreamReader): void => {
      if (kind === "text") to.unregisterTextStreamHandler(topic);
      else to.unregisterByteStreamHandler(topic);
      take(reader as R).then(resolve, reject);
    };
    if (kind === "text") to.registerTextStreamHandler(topic, handler);
    else to.registerByteStreamHandler(topic, handler);
  });
}

function plainText(room: Room, topic: string): Promise<string> {
  return new Promise((resolve, reject) => {
    room.registerTextStreamHandler(topic, (reader, { identity }) => {
      reader.readAll().then((all) => resolve(`${identity}: ${all}`), reject);
    });
  });
}

async function drain(reader: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of reader);
}

async function keepWriting(write: () => Promise<void>): Promise<never> {
  for (;;) {
    await write();
    await wait(100);
  }
}

/** Code of the end. */
async function ending(action: () => Promise<void>): Promise<string> {
  const error = await action().then(() => "well", (reason: unknown) => reason);
  return error instanceof StreamError ? error.code : String(error);
}

/** Incompressible bytes. */
function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}
