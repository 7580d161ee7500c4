// The peers by themselves: streams among other SDKs are the reference for the tests with Millrace.
// needs: chromium, python, rtc-node-0.13
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { bytesOf, type Content, textOf, type Told, told } from "../../support/peers/contents.js";
import { PEER_KINDS, type PeerInfo, type SdkPeer } from "../../support/peers/sdk_peer.ts";
import { withPeers } from "../../support/livekit/peer_room.ts";

const test = suite("SdkPeer");

/** Time-out: a start takes 3 s, and ten times that on a busy machine. */
const SECONDS = 60;

test(
  "SdkPeer: text and bytes of each SDK reach all others: short, long, random and repetitive",
  () =>
    withPeers(PEER_KINDS, async (peers) => {
      for (const peer of peers) {
        await peer.listen("text", "text");
        await peer.listen("bytes", "bytes");
      }
      const texts: Content[] = [{ text: "" }, { text: "größe 😀" }, { length: 100_000, seed: 1 }, {
        repeat: "all alike ",
        times: 30_000,
      }];
      const bytes: Content[] = [{ base64: "" }, { base64: "AP8=" }, { length: 100_000, seed: 2 }];
      for (const peer of peers) {
        for (const content of texts) {
          await expectEverywhere(peers, peer, await peer.sendText(content, { topic: "text" }), await told(textOf(content)));
          await expectEverywhere(peers, peer, await peer.streamText([content], { topic: "text" }), await told(textOf(content)));
        }
        for (const content of bytes) {
          await expectEverywhere(
            peers,
            peer,
            await peer.streamBytes([content], { topic: "bytes" }),
            await told([bytesOf(content)]),
          );
          const file = await peer.sendFile(content, { topic: "bytes", name: "a.bin" });
          await expectEverywhere(peers, peer, file, await told([bytesOf(content)]));
        }
      }
    }),
  { seconds: SECONDS },
);

test("SdkPeer: data packets and calls reach the others", () =>
  withPeers(PEER_KINDS, async (peers) => {
    for (const peer of peers) await peer.answerRpc("greet", `hello from ${peer.identity}`);
    for (const [i, peer] of peers.entries()) {
      await peer.publishData({ text: "ping" }, { topic: "data" });
      const others = peers.filter((other) => other !== peer);
      for (const other of others) {
        assert.equal(await other.next("data"), { event: "data", from: peer.identity, topic: "data", base64: btoa("ping") });
      }
      const called = peers[(i + 1) % peers.length] as SdkPeer;
      assert.is(await peer.performRpc(called.identity, "greet", "hello"), `hello from ${called.identity}`);
      assert.equal(await called.next("rpc"), { event: "rpc", from: peer.identity, method: "greet", payload: "hello" });
    }
  }), { seconds: SECONDS });

test(
  "SdkPeer: an option that an SDK lacks is an error, and a peer that dies is reported",
  () =>
    withPeers(["rtc-node-1", "python"], async (peers) => {
      const [node, python] = peers as [SdkPeer, SdkPeer];
      assert.match(await failure(python.sendText({ text: "x" }, { attachedStreamIds: ["y"] })), "attachedStreamIds");
      const waiting = failure(node.received());
      await node.kill();
      assert.match(await waiting, "rtc-node-1");
      assert.match(await failure(node.participants()), "The peer ended");
    }),
  { seconds: SECONDS },
);

test.run();

async function expectEverywhere(
  peers: readonly SdkPeer[],
  sender: SdkPeer,
  sent: PeerInfo,
  content: Told,
): Promise<void> {
  for (const peer of peers.filter((other) => other !== sender)) {
    const received = await peer.received();
    const how = `from ${sender.kind} to ${peer.kind}: ${JSON.stringify(sent)}`;
    assert.is(received.error, undefined, how);
    assert.equal(received.content, content, how);
    assert.is(received.from, sender.identity);
  }
}

async function failure(action: Promise<unknown>): Promise<string> {
  return await action.then(() => "nothing failed", String);
}
