// A room as a transport, over a fake SDK, in virtual time.
import { OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import * as assert from "uvu/assert";
import type { StreamError } from "../../errors.ts";
import type { StreamHeader } from "../../protocol/wire/packets.ts";
import { control, trailer } from "../support/conformance/transport.ts";
import { opened } from "../support/fake_sdk.ts";
import { suite } from "../support/harness.ts";
import { plainHeader } from "../support/hub/raw_participant.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("LiveKitTransport");

/** Longest search for a named participant, in ms. */
const NEWS_MS = 3_500;

/** Longest wait for the last packet to leave, in ms. */
const LAST_PACKETS_MS = 250;

test("LiveKitTransport: a new connection gets the transport's own bound for buffered bytes", () => {
  const { sdk } = opened();
  const { buffered } = sdk;
  const [own] = buffered;
  sdk.events.reconnected(false);
  assert.equal(buffered, [own, own]);
});

test("LiveKitTransport.close(): lets the last packets leave, and restores the SDK's bound", async () => {
  const { sdk, time, transport, released } = opened();
  await time.run(transport.send(control("goodbye"), ["bob"]));
  const sent = time.now();
  await time.run(transport.close());
  assert.ok(time.now() - sent >= LAST_PACKETS_MS);
  assert.is(sdk.buffered.at(-1), 2 * 1024 * 1024);
  assert.equal([sdk.stopped, released()], [true, 1]);
  const quiet = opened();
  await quiet.time.run(quiet.transport.close());
  assert.is(quiet.time.now(), 0);
});

test("LiveKitTransport.close(): waits for earlier sends, but no longer than the room exists", async () => {
  const { sdk, time, transport } = opened();
  sdk.holds = true;
  const sending = transport.send(control("x"), ["bob"]).catch(() => {});
  let closed = false;
  const closing = transport.close().then(() => closed = true);
  await time.advance(10_000);
  assert.not(closed);
  sdk.settle();
  await sending;
  await time.advance(LAST_PACKETS_MS - 1);
  assert.not(closed);
  sdk.events.disconnected("gone");
  await time.advance(0);
  assert.ok(closed);
  await closing;
});

test("LiveKitTransport: a room that has ended has no participants, and sends and receives nothing", async () => {
  const { sdk, time, transport, events, released } = opened();
  sdk.holds = true;
  const first = rejection(() => transport.send(control("x"), ["bob"]), "disconnected");
  const second = rejection(() => transport.send(control("y"), ["bob"]), "disconnected");
  await time.advance(0);
  assert.is(sdk.sent.length, 1);
  sdk.events.disconnected("gone");
  sdk.events.disconnected("gone");
  await time.run(Promise.all([first, second]));
  assert.is(sdk.sent.length, 1, "no answer to a second would come");
  assert.equal(transport.participants(), []);
  sdk.settle();
  assert.equal(events, ["closed"]);
  assert.is(released(), 1);
  const error = await rejection(() => transport.send(control("late")), "disconnected");
  assert.is(error.reason, "gone");
});

test("LiveKitTransport: requests go one after the other, and one that waits long is let out", async () => {
  const { sdk, time, transport } = opened();
  sdk.holds = true;
  const sending = [transport.send(control("a")), transport.send(trailer("b"))];
  await time.advance(0);
  assert.is(sdk.sent.length, 1);
  assert.is(sdk.releases, 1, "as it was opened");
  await time.advance(6_100);
  assert.is(sdk.releases, 4);
  sdk.settle();
  await time.advance(0);
  assert.is(sdk.sent.length, 2);
  sdk.settle();
  await time.run(Promise.all(sending));
  await time.advance(10_000);
  assert.is(sdk.releases, 4);
  assert.is(time.pending, 0);
});

test("LiveKitTransport: the wait of a request counts from that request, not from those before", async () => {
  const { sdk, time, transport } = opened();
  await time.run(transport.send(control("quick")));
  await time.advance(1_500);
  sdk.holds = true;
  const sending = transport.send(control("waits"));
  for (const [milliseconds, releases] of [[1_999, 1], [1, 2], [1_999, 2], [1, 3]] as const) {
    await time.advance(milliseconds);
    assert.is(sdk.releases, releases, `at ${time.now()} ms`);
  }
  sdk.settle();
  await time.run(sending);
  await time.run(transport.close());
  assert.is(time.pending, 0, "timers after close()");
});

test("LiveKitTransport.find(): asks at once, then each second, and ends by an answer, by news, or without result", async () => {
  const { sdk, time, transport, events } = opened();
  sdk.here.add("recorder");
  await time.run(transport.find?.(["recorder", "bob", "alice"]) ?? Promise.resolve());
  assert.is(time.now(), 0);
  assert.equal(events, ["joined recorder"]);
  assert.equal(sdk.asked, ["recorder"]);
  const looking = transport.find?.(["carol"]) ?? Promise.resolve();
  await time.advance(1_500);
  sdk.events.joined("carol", "PA_carol");
  await time.run(looking);
  assert.is(time.now(), 1_500);
  const inVain = transport.find?.(["nobody"]) ?? Promise.resolve();
  await time.run(inVain);
  assert.is(time.now(), 1_500 + NEWS_MS);
  assert.equal(sdk.asked.filter((identity) => identity === "nobody").length, 4);
  const cut = transport.find?.(["nobody"]) ?? Promise.resolve();
  sdk.events.disconnected("gone");
  await time.run(cut);
  assert.is(time.now(), 1_500 + NEWS_MS);
});

test("LiveKitTransport: a newcomer who sends but does not answer is gone, unless the server lists it", async () => {
  const { sdk, time, transport, events } = opened();
  sdk.here.add("slow");
  for (const identity of ["visitor", "slow", "listed"]) sdk.hello(identity);
  sdk.events.joined("listed", "PA_listed");
  assert.equal(transport.participants(), ["bob", "visitor", "slow", "listed"]);
  await time.advance(8_000);
  assert.equal(transport.participants(), ["bob", "slow", "listed"]);
  assert.equal(events.filter((event) => event.startsWith("left")), ["left visitor"]);
  await time.run(transport.close());
  assert.is(time.pending, 0);
});

test("LiveKitTransport: packets of a hidden participant without a name from the server announce nobody", () => {
  const { sdk, transport, events } = opened();
  sdk.hello("");
  const reader = sdk.open(plainHeader("a", "chat", "text"), "");
  assert.is(reader.place, "room");
  assert.equal(transport.participants(), ["bob"]);
  assert.equal(events, []);
});

test("LiveKitTransport: a runtime's stream with the id of one that came by a reader is a new one", () => {
  const { sdk, events } = opened();
  const { events: reader } = sdk.open(plainHeader("a", "chat", "bytes", { totalSize: 1 }), "bob");
  reader?.chunk(new Uint8Array(1));
  reader?.end({}, undefined);
  assert.equal(events, ["header a", "chunk a 0", "trailer a"]);
  sdk.events.chunk("a", 0, new Uint8Array(1), "bob"); // a second copy
  assert.is(events.length, 3);
  sdk.events.header(ownHeader("a"), "bob");
  sdk.events.chunk("a", 0, new Uint8Array(1), "bob");
  assert.equal(events.slice(3), ["header a", "chunk a 0"]);
});

test("LiveKitTransport: a departure ends streams being read, and drops their late packets", () => {
  const { sdk, events } = opened();
  const { events: reader } = sdk.open(plainHeader("a", "chat", "bytes", { totalSize: 1 }), "bob");
  reader?.chunk(new Uint8Array(1));
  sdk.events.left("bob");
  sdk.events.chunk("b", 0, new Uint8Array(1), "bob");
  assert.equal(events, ["header a", "left bob"]);
  sdk.events.joined("bob", "PA_bob again");
  reader?.end({}, undefined);
  sdk.events.trailer({ type: "trailer", streamId: "other", reason: "", attributes: {} }, "bob");
  assert.equal(events.slice(2), ["joined bob", "trailer other"]);
});

test("LiveKitTransport: a room that has ended ends streams being read", () => {
  const { sdk, events } = opened();
  const { events: reader } = sdk.open(plainHeader("a", "chat", "bytes", { totalSize: 1 }), "bob");
  sdk.events.disconnected("gone");
  reader?.chunk(new Uint8Array(1));
  reader?.end({}, undefined);
  assert.equal(events, ["header a", "closed"]);
});

test("LiveKitTransport: an unlisted participant is asked for while packets go to or come from it", async () => {
  const { sdk, time, transport, events } = opened();
  for (const identity of ["sent to", "sender", "idle"]) sdk.here.add(identity);
  await time.run(transport.find?.([...sdk.here]) ?? Promise.resolve());
  for (let i = 0; i < 8; i++) {
    await time.advance(10_000);
    await time.run(transport.send(control("x"), ["sent to"]));
    sdk.hello("sender");
  }
  assert.equal(transport.participants(), ["bob", "sent to", "sender"]);
  assert.equal(events.filter((event) => event.startsWith("left")), ["left idle"]);
});

test("LiveKitTransport: a chunk over 60,000 bytes is no runtime's", () => {
  const { sdk, events } = opened();
  sdk.events.header(ownHeader("a"), "bob");
  for (const bytes of [60_000, 60_001]) sdk.events.chunk("a", bytes, new Uint8Array(bytes), "bob");
  assert.equal(events, ["header a", "chunk a 60000"]);
});

test("LiveKitTransport.send(): a failed request fails the packet, the connection, or ends the room", async () => {
  const { sdk, time, transport, events } = opened();
  const failure = (words: string, code: "transport" | "disconnected"): Promise<StreamError> => {
    sdk.fails = words;
    return time.run(rejection(() => transport.send(control("x"), ["bob"]), code));
  };
  await failure("something else", "transport");
  await failure("failed to send data packet", "disconnected");
  assert.equal(events, []);
  await failure("engine is closed", "disconnected");
  assert.equal(events, ["closed"]);
});

test("LiveKitTransport: a participant whose permission is revoked cannot send; for others that is a new beginning", async () => {
  const { sdk, time, transport, events } = opened();
  sdk.events.permitted(false);
  await rejection(() => transport.send(control("x")), "transport");
  sdk.events.permitted(true);
  await time.run(transport.send(control("x")));
  sdk.events.othersPermitted("bob", true);
  assert.equal(events, []);
  sdk.events.othersPermitted("bob", false);
  assert.equal(events, ["left bob", "joined bob"]);
});

test.run();

function ownHeader(streamId: string): StreamHeader {
  return plainHeader(streamId, "chat", "bytes", { attributes: { [OWN_ATTRIBUTE]: "{}" } });
}
