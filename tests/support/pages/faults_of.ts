// Pages that are closed, loaded again, or lose their connection, with streams that outlast it.
import * as assert from "uvu/assert";
import type { ByteStreamReader, StreamError } from "../../../mod.ts";
import type { TestBrowser } from "../browser/test_browser.ts";
import { suite } from "../harness.ts";
import { type LiveKitRoom, LiveKitRooms } from "../livekit/livekit_rooms.ts";
import { type PageMember, Pages, type Sent } from "./pages.ts";
import type { ClientSdk } from "./sdks.ts";
import { until } from "../waiting.ts";

/** Bytes that take some seconds in a room. */
const LONG_BYTES = 20_000_000;

export async function pageFaults(sdk: ClientSdk, start?: () => Promise<TestBrowser>): Promise<void> {
  const test = suite(`pages: faults, ${sdk.version}`);
  const rooms = await LiveKitRooms.start();
  const pages = await Pages.start(sdk, start);

  test(
    "livekit: a tab that is closed in mid-stream ends its streams as disconnected, and so streams to it",
    () =>
      rooms.in(async (room) => {
        const { runtime, alice, sending, read } = await underWay(pages, room);
        const writer = await runtime.streamBytes({ topic: "back", destinationIdentities: ["alice"] });
        await alice.page.close();
        await sending;
        assert.is((await room.step("the reader's end", read)).code, "disconnected");
        const written = await room.step("the writer's end", failureOf(writeForEver(writer)));
        assert.is(written.code, "disconnected");
      }),
    { seconds: 60 },
  );

  test(
    "livekit: a page that is loaded again under its identity is a new instance, whose streams come",
    () =>
      rooms.in(async (room) => {
        const { runtime, alice, sending, read } = await underWay(pages, room);
        await alice.page.reload();
        await alice.page.waitForFunction("globalThis.member !== undefined");
        await sending;
        await pages.rejoin(room, alice);
        assert.is((await room.step("the old stream's end", read)).code, "disconnected");
        runtime.unregisterByteStreamHandler("t");
        const again = readerOf(runtime);
        const sent = alice.call("send", { kind: "bytes", bytes: 100_000 }, { topic: "t", destinationIdentities: ["bob"] });
        assert.is((await (await again).readAll()).length, 100_000);
        assert.equal((await sent).info?.["receipts"], [{ identity: "bob", bytes: 100_000 }]);
        await alice.page.close();
      }),
    { seconds: 60 },
  );

  test("livekit: a page's signal connection that is resumed loses and doubles nothing", () =>
    rooms.in(async (room) => {
      const { runtime } = await room.join("bob");
      const alice = await pages.join(room, "alice");
      await alice.call("listen", "back");
      const reader = readerOf(runtime);
      const sent = alice.call("send", { kind: "bytes", bytes: 4_000_000 }, { topic: "t", destinationIdentities: ["bob"] });
      const read = (await reader).readAll();
      const back = runtime.sendBytes(new Uint8Array(4_000_000), { topic: "back", destinationIdentities: ["alice"] });
      await alice.call("simulate", "signal-reconnect");
      assert.is((await room.step("the stream from the page", read)).length, 4_000_000);
      assert.equal((await sent).info?.["receipts"], [{ identity: "bob", bytes: 4_000_000 }]);
      assert.equal((await room.step("the stream to the page", back)).receipts, [{ identity: "alice", bytes: 4_000_000 }]);
      assert.is(await alice.call("state"), "connected");
      await alice.page.close();
    }), { seconds: 60 });

  test(
    "livekit: a page's full reconnect ends its streams with a code at both ends, and new ones work",
    () =>
      rooms.in(async (room) => {
        const { runtime, alice, sending, read } = await underWay(pages, room, { isListed: true });
        await alice.call("listen", "back");
        await alice.call("simulate", "full-reconnect");
        const { code } = await room.step("the reader's end", read);
        // Chunks of the new connection may come before the news that the old one has ended: they show a gap.
        assert.ok(["disconnected", "incomplete"].includes(code), code);
        assert.is((await room.step("the sender's end", sending))?.error, "disconnected");
        await until(async () => await alice.call("state") === "connected" && (await alice.call("others")).includes("bob"));
        await talk(alice, runtime);
        await alice.page.close();
      }),
    { seconds: 60 },
  );

  test.after(async () => {
    await pages[Symbol.asyncDispose]();
    await rooms.close();
  });
  test.run();
}

type NodeRuntime = Awaited<ReturnType<Parameters<Parameters<LiveKitRooms["in"]>[0]>[0]["join"]>>["runtime"];

/**
 * Bob, Alice's page, and a long stream from it to him that must fail. The send resolves with undefined if its page is gone. If she `isListed`,
 * the server has told him of her: it does so seconds late, and not of the end of a connection that it had not told of.
 */
async function underWay(pages: Pages, room: LiveKitRoom, { isListed = false }: { isListed?: boolean } = {}): Promise<{
  runtime: NodeRuntime;
  alice: PageMember;
  sending: Promise<Sent | undefined>;
  read: Promise<StreamError>;
}> {
  const { runtime, room: bob } = await room.join("bob");
  const alice = await pages.join(room, "alice");
  if (isListed) await until(() => bob.remoteParticipants.has("alice"));
  const reader = readerOf(runtime);
  const sending = alice.call("send", { kind: "bytes", bytes: LONG_BYTES }, { topic: "t", destinationIdentities: ["bob"] })
    .catch(() => undefined);
  return { runtime, alice, sending, read: failureOf((await reader).readAll()) };
}

/** The reader of the next stream of topic "t". */
function readerOf(runtime: NodeRuntime): Promise<ByteStreamReader> {
  return new Promise((resolve) => runtime.registerByteStreamHandler("t", (reader) => resolve(reader)));
}

async function failureOf(work: Promise<unknown>): Promise<StreamError> {
  return await work.then(() => assert.unreachable("it must fail"), (error: StreamError) => error) as unknown as StreamError;
}

async function writeForEver(writer: { write(data: Uint8Array): Promise<void> }): Promise<void> {
  for (;;) await writer.write(new Uint8Array(100_000));
}

/** A stream each way, confirmed. */
async function talk(alice: PageMember, runtime: NodeRuntime): Promise<void> {
  runtime.unregisterByteStreamHandler("t");
  runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
  const there = await alice.call("send", { kind: "bytes", bytes: 100_000 }, { topic: "t", destinationIdentities: ["bob"] });
  assert.equal(there.info?.["receipts"], [{ identity: "bob", bytes: 100_000 }], there.error);
  const back = await runtime.sendBytes(new Uint8Array(100_000), { topic: "back", destinationIdentities: ["alice"] });
  assert.equal(back.receipts, [{ identity: "alice", bytes: 100_000 }]);
}
