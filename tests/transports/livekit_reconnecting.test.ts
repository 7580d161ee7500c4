// A transport of LiveKit whose Room loses its connection: what is sent meanwhile, what belongs to an earlier connection, and an SDK that hangs.
import * as assert from "uvu/assert";
import type { Packet } from "../../protocol/wire/packets.ts";
import { opened } from "../support/fake_sdk.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("LiveKitTransport, reconnecting");

const PACKET: Packet = { type: "control", payload: new Uint8Array(1) };

/** Time after which a request that is not answered is let out, and after which an SDK counts as hung, in ms. */
const STUCK_MS = 2_000;
const HUNG_MS = STUCK_MS + 5_000;

test("LiveKitTransport: packets wait while the connection is lost, and go on when it is resumed", async () => {
  const { sdk, time, transport, events } = opened();
  sdk.events.lost();
  sdk.events.lost();
  const sending = Promise.all([transport.send(PACKET, ["bob"]), transport.send(PACKET, ["bob"])]);
  await time.advance(60_000);
  assert.equal([sdk.sent, sdk.releases], [[], 1]);
  sdk.events.reconnected(false);
  await time.run(sending);
  assert.is(sdk.sent.length, 2);
  assert.equal(events, []);
});

test("LiveKitTransport: packets for an earlier connection are not sent by a new one", async () => {
  for (const renew of ["reconnected", "renewed"] as const) {
    const { sdk, time, transport, events } = opened();
    sdk.events.lost();
    const old = [transport.send(PACKET, ["bob"]), transport.send(PACKET, ["bob"])].map((each) =>
      rejection(() => each, "disconnected")
    );
    await time.advance(10);
    if (renew === "renewed") sdk.events.renewed();
    else sdk.events.reconnected(true);
    assert.equal(events, ["renewed"]);
    assert.equal(transport.participants(), ["bob"]);
    const sending = transport.send(PACKET, ["bob"]);
    if (renew === "renewed") sdk.events.reconnected(false);
    await time.run(Promise.all([...old, sending]));
    assert.is(sdk.sent.length, 1);
  }
});

test("LiveKitTransport: packets that wait for a connection fail when the room ends", async () => {
  const { sdk, time, transport } = opened();
  sdk.events.lost();
  const sending = rejection(() => transport.send(PACKET, ["bob"]), "disconnected");
  await time.advance(10);
  sdk.events.disconnected("gone");
  await time.run(Promise.all([sending, transport.close()]));
  assert.equal([sdk.sent, sdk.stopped], [[], true]);
});

test("LiveKitTransport.close(): waits for a lost connection, to send what was sent before", async () => {
  const { sdk, time, transport, released } = opened();
  sdk.events.lost();
  const sending = transport.send(PACKET, ["bob"]);
  const closing = transport.close();
  await time.advance(10);
  assert.is(released(), 0);
  sdk.events.reconnected(false);
  await time.run(Promise.all([sending, closing]));
  assert.equal([sdk.sent.length, sdk.stopped, released()], [1, true, 1]);
});

test("LiveKitTransport: an SDK that hangs on a dead connection is abandoned, and the transport ends", async () => {
  const { sdk, time, transport, events } = opened();
  await time.run(transport.send(PACKET, ["bob"]));
  sdk.holds = true;
  sdk.hangs = true;
  const sending = rejection(() => transport.send(PACKET, ["bob"]), "disconnected");
  await time.advance(HUNG_MS - 1);
  assert.equal([events, sdk.abandoned], [[], 0]);
  await time.advance(1);
  assert.equal([events, sdk.abandoned], [["closed"], 1]);
  const error = await sending;
  assert.match(String(error.reason), "hung");
  await time.advance(60_000);
  assert.is(sdk.abandoned, 1);
});

test("LiveKitTransport: an SDK that connects for the first packet, or anew, is not taken for hung", async () => {
  for (const state of ["new", "reconnecting"]) {
    const { sdk, time, transport } = opened();
    if (state !== "new") await time.run(transport.send(PACKET, ["bob"]));
    sdk.holds = true;
    sdk.hangs = true;
    const sending = transport.send(PACKET, ["bob"]);
    await time.advance(STUCK_MS + 1);
    if (state !== "new") sdk.events.lost();
    await time.advance(60_000);
    assert.is(sdk.abandoned, 0);
    sdk.settle();
    await time.run(sending);
    await time.run(transport.close());
    assert.is(sdk.abandoned, 0);
  }
});

test.run();
