// A page with Millrace beside each of LiveKit's SDKs, programs of their own: all that they send, and contents of the page's, field by field.
// needs: chromium, python, rtc-node-0.13
import * as assert from "uvu/assert";
import type { TextStreamInfo } from "../../../mod.ts";
import { suite } from "../../support/harness.ts";
import { expectedInfo, FROM_PEER, type FromPeer } from "../../support/interop/interop_from_peer.ts";
import { shownBy } from "../../support/interop/interop_to_peer.ts";
import { type LiveKitRoom, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { pattern } from "../../support/bytes.ts";
import { type Content, type PageMember, Pages, toldOf } from "../../support/pages/pages.ts";
import { NEWEST } from "../../support/pages/sdks.ts";
import { bytesOf, textOf, told } from "../../support/peers/contents.js";
import { PEER_KINDS, type SdkPeer, startPeer } from "../../support/peers/sdk_peer.ts";
import { until } from "../../support/waiting.ts";

/** Contents of the page's: a header's, a chunk's, several chunks'. */
const CONTENTS: readonly Content[] = [
  { kind: "text", text: "" },
  { kind: "text", text: "größe 😀" },
  { kind: "text", text: "a line of JSON\n", times: 5_000 },
  { kind: "bytes", bytes: 0 },
  { kind: "bytes", bytes: 15_001 },
  { kind: "bytes", bytes: 20_000, file: true },
];

const test = suite("pages: peers");
const rooms = await LiveKitRooms.start();
const pages = await Pages.start(NEWEST);

for (const kind of PEER_KINDS) {
  test(`livekit: a page and ${kind} exchange streams and infos, both ways`, () =>
    rooms.in(async (room) => {
      const token = await room.server.token("peer", room.name);
      await using peer = await startPeer(kind, { url: room.server.url, token });
      const page = await pages.join(room, "page");
      await until(async () => (await page.call("others")).includes("peer") && (await peer.participants()).includes("page"));
      await sendToPeer(room, page, peer);
      for (const one of FROM_PEER.filter(({ kinds }) => kinds?.includes(kind) ?? true)) await sendFromPeer(room, page, peer, one);
      assert.equal(await page.call("errors"), []);
      await page.page.close();
    }), { seconds: 60 });
}

test.after(async () => {
  await pages[Symbol.asyncDispose]();
  await rooms.close();
});
test.run();

async function sendToPeer(room: LiveKitRoom, page: PageMember, peer: SdkPeer): Promise<void> {
  await peer.listen("text", "to");
  await peer.listen("bytes", "to");
  for (const content of CONTENTS) {
    const title = `the page sends ${JSON.stringify(content)}`;
    const options = { topic: "to", destinationIdentities: ["peer"], attributes: { language: "de", empty: "" } };
    const { info, error } = await room.step(title, page.call("send", content, options));
    assert.is(error, undefined, title);
    const received = await room.step(`${title} to the peer`, peer.received());
    const { receipts: _receipts, ...sent } = info ?? {};
    assert.equal([received.from, received.kind, received.error], ["page", content.kind, undefined], title);
    assert.equal(received.info, shownBy(peer.kind, sent as unknown as TextStreamInfo), title);
    const whole = content.kind === "text" ? toldOf(content) : [pattern(content.bytes) as Uint8Array<ArrayBuffer>];
    assert.equal(received.content, await told(whole), title);
  }
}

async function sendFromPeer(room: LiveKitRoom, page: PageMember, peer: SdkPeer, one: FromPeer): Promise<void> {
  const topic = `from ${one.name}`;
  await page.call("listen", topic);
  const target = one.broadcast === true ? { topic } : { topic, destinationIdentities: ["page"] };
  const sent = await room.step(`the peer sends ${one.name}`, one.send(peer, { ...target, ...one.options }, one.content));
  const received = await room.step(`the page receives ${one.name}`, page.next());
  assert.equal([received.from, received.kind], ["peer", one.kind], one.name);
  const info = received.info as unknown as TextStreamInfo;
  assert.equal(received.info, JSON.parse(JSON.stringify(expectedInfo(one, peer.kind, topic, sent, info))), one.name);
  if (one.reason !== undefined) return assert.is(received.error, "aborted", one.name);
  const whole = one.kind === "text" ? textOf(one.content) : (await told([bytesOf(one.content)])).sha256;
  assert.is(received.content, whole, `${one.name}: ${received.error}`);
}
