// A page with Millrace beside a Millrace runtime, another page, and both of LiveKit's SDKs used plainly: contents and info, both ways.
import * as assert from "uvu/assert";
import type { Runtime } from "../../../mod.ts";
import type { TestBrowser } from "../browser/test_browser.ts";
import { suite } from "../harness.ts";
import { bytesHeardBy, heardBy, LiveKitRooms } from "../livekit/livekit_rooms.ts";
import { pattern } from "../bytes.ts";
import { type Content, type Ended, Pages, toldOf } from "./pages.ts";
import type { ClientSdk } from "./sdks.ts";
import { until } from "../waiting.ts";

/** Contents that take different ways: none, in one header, plain, framed, compressed, and more than a segment. */
const CONTENTS: readonly (readonly [string, Content])[] = [
  ["an empty text", { kind: "text", text: "" }],
  ["a short text", { kind: "text", text: "hé 🌍" }],
  ["a text that compresses", { kind: "text", text: 'a line of JSON, {"a": 1}\n', times: 20_000 }],
  ["no bytes", { kind: "bytes", bytes: 0 }],
  ["a byte", { kind: "bytes", bytes: 1 }],
  ["a chunk and a byte", { kind: "bytes", bytes: 15_001 }],
  ["a megabyte", { kind: "bytes", bytes: 1_000_000 }],
  ["a File", { kind: "bytes", bytes: 300_000, file: true }],
];

const ATTRIBUTES = { language: "de", empty: "" };

export async function pageInterop(sdk: ClientSdk, start?: () => Promise<TestBrowser>): Promise<void> {
  const test = suite(`pages: interop, ${sdk.version}`);
  const rooms = await LiveKitRooms.start();
  const pages = await Pages.start(sdk, start);

  test("livekit: a page and a runtime exchange contents, infos and receipts, both ways", () =>
    rooms.in(async (room) => {
      const { runtime, errors } = await room.join("bob");
      const alice = await pages.join(room, "alice");
      await alice.call("listen", "t");
      const heard = heardByRuntime(runtime, "t");
      for (const [title, content] of CONTENTS) {
        const options = { topic: "t", destinationIdentities: ["bob"], attributes: ATTRIBUTES, confirm: true };
        const sent = await room.step(`a page sends ${title}`, alice.call("send", content, options));
        assert.equal(sent.info?.["receipts"], [{ identity: "bob", bytes: sizeOf(content) }], `${title}: ${sent.error}`);
        await until(() => heard.length > 0);
        assertSame(heard.pop(), "alice", sent.info, toldOf(content), title);
        const back = await room.step(
          `the runtime sends ${title}`,
          sendFrom(runtime, content, { ...options, destinationIdentities: ["alice"] }),
        );
        assert.equal(back["receipts"], [{ identity: "alice", bytes: sizeOf(content) }], title);
        assertSame(await alice.next(), "bob", back, toldOf(content), title);
      }
      assert.equal([errors, await alice.call("errors")], [[], []]);
      await alice.page.close();
    }), { seconds: 60 });

  test("livekit: two pages exchange contents and infos", () =>
    rooms.in(async (room) => {
      const [alice, bob] = [await pages.join(room, "alice"), await pages.join(room, "bob")];
      await bob.call("listen", "t");
      for (const [title, content] of CONTENTS) {
        const options = { topic: "t", destinationIdentities: ["bob"], attributes: ATTRIBUTES, confirm: true, name: "n.bin" };
        const { name: _name, ...textOptions } = options;
        const sent = await alice.call("send", content, content.kind === "text" ? textOptions : options);
        assertSame(await bob.next(), "alice", sent.info, toldOf(content), title);
      }
      for (const { page } of [alice, bob]) await page.close();
    }), { seconds: 60 });

  test("livekit: a page and plain SDKs exchange contents", () =>
    rooms.in(async (room) => {
      const node = await room.plain("node");
      const [alice, other] = [await pages.join(room, "alice"), await pages.join(room, "other", { plain: true })];
      const [texts, bytes] = [heardBy(node, "t"), bytesHeardBy(node, "t")];
      for (const member of [alice, other]) await member.call("listen", "t");
      await until(async () => (await alice.call("others")).length === 2);
      for (const [title, content] of CONTENTS) {
        if (content.kind === "bytes" && content.file === true) continue;
        const options = { topic: "t", attributes: ATTRIBUTES };
        await room.step(
          `the page sends ${title}`,
          alice.call("send", content, { ...options, destinationIdentities: ["node", "other"] }),
        );
        const there = await other.next();
        assert.is(there.content, toldOf(content), `${title}, at the other page: ${there.error}`);
        await until(() => texts.length + bytes.length > 0);
        if (content.kind === "text") assert.is(texts.pop()?.text, toldOf(content), `${title}, at rtc-node`);
        else assert.equal(bytes.pop(), pattern(content.bytes), `${title}, at rtc-node`);
        const back = await other.call("send", content, { ...options, destinationIdentities: ["alice"] });
        const came = await room.step(`the plain page sends ${title}`, alice.next());
        assert.is(came.content, toldOf(content), `${title}, from the other page: ${came.error}`);
        assert.equal([came.from, came.info["topic"], came.info["attributes"]], ["other", "t", ATTRIBUTES], title);
        assert.is(came.info["streamId"], back.info?.["id"] ?? back.info?.["streamId"], title);
        if (content.kind === "text") {
          await node.localParticipant?.sendText(toldOf(content), { ...options, destinationIdentities: ["alice"] });
          const received = await room.step(`rtc-node sends ${title}`, alice.next());
          assert.equal(
            [received.content, received.from],
            [toldOf(content), "node"],
            `${title}, from rtc-node: ${received.error}`,
          );
        }
      }
      assert.equal(await alice.call("errors"), []);
      for (const { page } of [alice, other]) await page.close();
    }), { seconds: 60 });

  test("livekit: a bystander's page gets no chunk of a page's targeted streams", () =>
    rooms.in(async (room) => {
      const { runtime } = await room.join("bob");
      runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
      const [alice, eve] = [await pages.join(room, "alice"), await pages.join(room, "eve", { plain: true })];
      const options = { topic: "t", destinationIdentities: ["bob"] };
      await alice.call("send", { kind: "bytes", bytes: 300_000 }, options);
      await alice.call("send", { kind: "text", text: "to all" }, { topic: "t" }); // comes behind the others
      await until(async () => await eve.call("chunks") > 0);
      assert.is(await eve.call("chunks"), 1);
      for (const { page } of [alice, eve]) await page.close();
    }), { seconds: 40 });

  test(
    "livekit: end-to-end encryption of a page covers its streams, and wrong keys read nothing",
    () =>
      rooms.in(async (room) => {
        const passphrase = "a secret of both";
        const alice = await pages.join(room, "alice", { passphrase });
        const bob = await pages.join(room, "bob", { passphrase });
        const eve = await pages.join(room, "eve", { passphrase: "another" });
        for (const member of [bob, eve]) await member.call("listen", "t");
        const before = await alice.call("encrypted");
        const content: Content = { kind: "bytes", bytes: 100_000 };
        const sent = await alice.call("send", content, { topic: "t", destinationIdentities: ["bob"] });
        assert.equal(sent.info?.["receipts"], [{ identity: "bob", bytes: 100_000 }], sent.error);
        assert.is((await bob.next()).content, toldOf(content));
        assert.ok(await alice.call("encrypted") >= before + 7, "all chunks are encrypted");
        await alice.call("send", { kind: "text", text: "to all" }, { topic: "t" });
        assert.is((await bob.next()).content, "to all");
        assert.equal(await eve.call("received"), []);
        for (const { page } of [alice, bob, eve]) await page.close();
      }),
    { seconds: 60 },
  );

  test.after(async () => {
    await pages[Symbol.asyncDispose]();
    await rooms.close();
  });
  test.run();
}

function sizeOf(content: Content): number {
  return content.kind === "bytes" ? content.bytes : new TextEncoder().encode(toldOf(content)).length;
}

async function sendFrom(runtime: Runtime, content: Content, options: object): Promise<Record<string, unknown>> {
  const info = content.kind === "text"
    ? await runtime.sendText(toldOf(content), options)
    : await runtime.sendBytes(pattern(content.bytes), options);
  return JSON.parse(JSON.stringify(info)) as Record<string, unknown>;
}

function heardByRuntime(runtime: Runtime, topic: string): Ended[] {
  const heard: Ended[] = [];
  const infoOf = (info: object): Record<string, unknown> => JSON.parse(JSON.stringify(info)) as Record<string, unknown>;
  runtime.registerTextStreamHandler(topic, async (reader, { identity }) => {
    const content = await reader.readAll();
    heard.push({ from: identity, kind: "text", info: infoOf(reader.info), content });
  });
  runtime.registerByteStreamHandler(topic, async (reader, { identity }) => {
    const bytes = await reader.readAll();
    const content = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    heard.push({ from: identity, kind: "bytes", info: infoOf(reader.info), content });
  });
  return heard;
}

/** Compares what was received with what was sent, field by field. */
function assertSame(
  received: Ended | undefined,
  from: string,
  info: Record<string, unknown> | undefined,
  content: string,
  title: string,
): void {
  const { receipts: _receipts, ...described } = info ?? {};
  assert.is(received?.error, undefined, title);
  assert.is(received?.from, from, title);
  assert.is(received?.content, content, title);
  assert.equal(received?.info, described, title);
}
