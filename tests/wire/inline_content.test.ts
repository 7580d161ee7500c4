import { OWN_ATTRIBUTE, OWN_TOPIC } from "../../protocol/constants.ts";
import * as assert from "uvu/assert";
import type { Runtime, TextStreamInfo } from "../../mod.ts";
import type { HeaderExtension } from "../../protocol/wire/extension.ts";
import { encodeHeader } from "../../protocol/wire/header.ts";
import { DEFAULT_LIMITS } from "../../protocol/limits.ts";
import { inlineContent, readInlineContent, WHOLE_BYTES } from "../../protocol/wire/inline_content.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { spied } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("inlineContent");

const extension: HeaderExtension = { instance: "i", sequence: 3, format: "plain", confirm: false, topic: "chat" };
const info: TextStreamInfo = {
  streamId: "s",
  mimeType: "text/plain",
  topic: "chat",
  timestamp: 1,
  size: 5,
  attributes: {},
  attachments: [],
};

for (const kind of ["text", "bytes"] as const) {
  test(`readInlineContent: reads ${kind} of inlineContent`, () => {
    const header = encodeHeader(kind === "text" ? { kind, info } : { kind, info: { ...info, name: "" } }, extension, undefined);
    const content = new TextEncoder().encode('\uFEFF"ü\\\n\u0000😀');
    const packed = inlineContent(header, extension, kind, { content, digest: "d" }, DEFAULT_LIMITS.headerBytes);
    assert.ok(packed !== undefined);
    const own = JSON.parse(packed.attributes[OWN_ATTRIBUTE] ?? "") as { x: [string, string] };
    const unpacked = readInlineContent(packed, { ...extension, whole: own.x }, kind);
    assert.equal(unpacked?.whole, { content, digest: "d" });
    assert.equal(unpacked?.header, header);
  });
}

test("inlineContent: is undefined if the header would be too large", () => {
  const header = encodeHeader({ kind: "bytes", info: { ...info, name: "" } }, extension, undefined);
  const content = new Uint8Array(WHOLE_BYTES);
  assert.ok(inlineContent(header, extension, "bytes", { content, digest: "d" }, 6_000) !== undefined);
  assert.is(inlineContent(header, extension, "bytes", { content, digest: "d" }, 5_000), undefined);
});

test("readInlineContent: is undefined for a header without content", () => {
  assert.is(readInlineContent(encodeHeader({ kind: "text", info }, extension, undefined), extension, "text"), undefined);
});

/** Packets that a send takes, without control: their types, of headers with the topic on the wire. */
async function packetsOf(send: (runtime: Runtime) => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  await inVirtualTime(async (room) => {
    const spy = (packet: Packet): void => {
      if (packet.type !== "control") seen.push(packet.type === "header" ? `header ${packet.header.topic}` : packet.type);
    };
    const alice = await room.join("alice", { transport: spied(room.hub.join("alice"), spy) });
    const bob = await room.join("bob");
    const got: Promise<unknown>[] = [];
    bob.runtime.registerTextStreamHandler("t", (reader) => void got.push(reader.readAll()));
    bob.runtime.registerByteStreamHandler("t", (reader) => void got.push(reader.readAll()));
    await room.time.advance(1_000);
    await room.time.run(send(alice.runtime));
    await room.time.run(() => got.length > 0);
    await room.time.run(Promise.all(got));
  });
  return seen;
}

const options = { topic: "t", destinationIdentities: ["bob"] };

test("sendText: a short text for Millrace runtimes takes one packet", async () => {
  assert.equal(await packetsOf((runtime) => runtime.sendText("hello", options)), [`header ${OWN_TOPIC}`]);
  assert.equal(await packetsOf((runtime) => runtime.sendText("", options)), [`header ${OWN_TOPIC}`]);
});

test("sendBytes: few bytes take one packet", async () => {
  assert.equal(await packetsOf((runtime) => runtime.sendBytes(new Uint8Array(WHOLE_BYTES), options)), [`header ${OWN_TOPIC}`]);
});

test("inlineContent: longer, streamed or attribute-heavy content takes three packets", async () => {
  const three = [`header ${OWN_TOPIC}`, "chunk", "trailer"];
  assert.equal(await packetsOf((runtime) => runtime.sendBytes(new Uint8Array(WHOLE_BYTES + 1), options)), three);
  assert.equal(await packetsOf((runtime) => runtime.sendBytes(new Blob(["x"]), options)), three);
  const attributes = { a: "x".repeat(7_900) };
  assert.equal(await packetsOf((runtime) => runtime.sendText("\u0001".repeat(1_500), { ...options, attributes })), three);
});

test("inlineContent: a stream that fails before its header still sends header and trailer", async () => {
  const controller = new AbortController();
  const seen = await packetsOf(async (runtime) => {
    const sent = runtime.sendText("hello", { ...options, signal: controller.signal });
    controller.abort();
    await sent.catch(() => {});
    await runtime.sendText("after", options);
  });
  assert.is(seen.at(-1), `header ${OWN_TOPIC}`);
});

test.run();
