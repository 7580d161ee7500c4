// Two runtimes of Millrace and two other SDKs in one room: each gets a broadcast once, and a targeted stream alone.
// needs: python
import * as assert from "uvu/assert";
import { createRuntime } from "../../../mod.ts";
import type { Runtime } from "../../../mod.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { suite } from "../../support/harness.ts";
import { bytesOf, type Content, textOf, type Told, told } from "../../support/peers/contents.js";
import type { SdkPeer } from "../../support/peers/sdk_peer.ts";
import { joinPeer, untilEachSees } from "../../support/livekit/peer_room.ts";
import { closeRooms, connect, disposeAll } from "../../support/livekit/rooms.ts";
import { startServer } from "../../../bench/support/server.ts";
import { until } from "../../support/waiting.ts";

const test = suite("interop with all SDKs");

const ROOM = "mixed";
/** Time-out: a start takes 3 s, and ten times that on a busy machine. */
const SECONDS = 60;

interface Mixed {
  alice: Runtime;
  bob: Runtime;
  /** Streams that came to Bob's handlers, in order. */
  heard: Told[];
  /** Peer that reports each packet that reaches it. */
  node: SdkPeer;
  python: SdkPeer;
}

const CONTENTS: readonly Content[] = [{ text: "" }, { text: "größe 😀" }, { length: 15_001, seed: 41 }, {
  length: 300_000,
  seed: 42,
}];

test("interop: a broadcast of Millrace reaches all SDKs, once", () =>
  inMixed(async ({ alice, heard, node, python }) => {
    for (const content of CONTENTS) {
      const sent = [await told(textOf(content)), await told([bytesOf(content)])];
      await alice.sendText(textOf(content), { topic: "text" });
      const { receipts } = await alice.sendBytes(bytesOf(content), { topic: "bytes" }); // it has come whole to Bob, at least
      assert.equal(receipts?.map(({ identity, error }) => [identity, error]), [["bob", undefined]]);
      for (const peer of [node, python]) {
        const received = [await peer.received(), await peer.received()];
        assert.equal(new Set(received.map((one) => one.content)), new Set(sent));
        assert.equal(received.map((one) => one.from), ["alice", "alice"]);
      }
      await until(() => heard.length === 2);
      assert.equal(new Set(heard.splice(0)), new Set(sent));
    }
  }), { seconds: SECONDS });

test("interop: a broadcast of another SDK reaches all, once", () =>
  inMixed(async ({ heard, node, python }) => {
    for (const [sender, other] of [[node, python], [python, node]] as const) {
      for (const content of CONTENTS) {
        const sent = await told(textOf(content));
        await sender.sendText(content, { topic: "text" });
        assert.equal((await other.received()).content, sent);
        await until(() => heard.length === 1);
        assert.equal(heard.splice(0), [sent]);
      }
    }
  }), { seconds: SECONDS });

test("interop: packets of a stream for one participant reach no other", () =>
  inMixed(async ({ alice, heard, node, python }) => {
    const text = textOf({ length: 50_000, seed: 43 });
    const twice = Array<string>(2).fill((await told(text)).sha256);
    const ids: string[] = [];
    for (const to of ["bob", "python"]) {
      ids.push((await alice.sendText(text, { topic: "text", destinationIdentities: [to] })).streamId);
      ids.push((await alice.sendBytes(bytesOf({ text }), { topic: "bytes", destinationIdentities: [to] })).streamId);
    }
    assert.equal([await python.received(), await python.received()].map(({ content }) => content.sha256), twice);
    await until(() => heard.length === 2);
    assert.equal(heard.splice(0).map(({ sha256 }) => sha256), twice);

    const last = await alice.sendText("to all", { topic: "text" });
    for (const peer of [node, python]) assert.is((await peer.received()).content.text, "to all");
    await until(() => heard.splice(0).length === 1);
    const seen = new Set(node.seen("packet").map(({ packet }) => packet["streamId"]));
    assert.ok(seen.has(last.streamId));
    assert.equal(ids.filter((id) => seen.has(id)), []);
  }), { seconds: SECONDS });

test("interop: the SDK ends cleanly", () => disposeAll());

test.run();

async function inMixed(body: (mixed: Mixed) => Promise<void>): Promise<void> {
  await using server = await startServer();
  const starting = [joinPeer(server, "rtc-node-1", "node", ROOM), joinPeer(server, "python", "python", ROOM)] as const;
  const runtimes: Runtime[] = [];
  try {
    const [node, python] = await Promise.all(starting);
    for (const identity of ["alice", "bob"]) {
      runtimes.push(await createRuntime({ transport: livekit(await connect(server, identity, ROOM)) }));
    }
    const [alice, bob] = runtimes as [Runtime, Runtime];
    await node.record();
    for (const peer of [node, python]) {
      await peer.listen("text", "text");
      await peer.listen("bytes", "bytes");
    }
    const heard: Told[] = [];
    bob.registerTextStreamHandler("text", async (reader) => void heard.push(await told(await reader.readAll())));
    bob.registerByteStreamHandler("bytes", async (reader) => void heard.push(await told([await reader.readAll()])));
    await untilEachSees([node, python], 3);
    await body({ alice, bob, heard, node, python });
    assert.equal(heard, []);
    assert.equal([...node.seen("received"), ...python.seen("received")], []);
  } finally {
    await Promise.all(runtimes.map((runtime) => runtime.close()));
    for (const started of await Promise.allSettled(starting)) if (started.status === "fulfilled") await started.value.close();
    await closeRooms();
  }
}
