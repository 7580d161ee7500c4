import * as assert from "uvu/assert";
import type { ReceivingState } from "../../protocol/wire/control.ts";
import { ConnectionSendWindow } from "../../protocol/flow/credit.ts";
import { Destination } from "../../protocol/flow/destination.ts";
import { CLAIM_WAIT, Destinations } from "../../protocol/flow/destinations.ts";
import { suite } from "../support/harness.ts";

const test = suite("Destinations");

const STATE: ReceivingState = { sequence: 0, claim: "claimed", credit: 0, received: 0, taken: 0 };

function room(
  named: boolean,
  credit = 100_000,
): { shared: ConnectionSendWindow; all: Destinations; bob: Destination; carol: Destination } {
  const shared = new ConnectionSendWindow(200_000);
  const bob = new Destination("bob", credit, shared);
  const carol = new Destination("carol", credit, new ConnectionSendWindow(1_000_000));
  return { shared, bob, carol, all: new Destinations([bob, carol], { isTargeted: named, listsRecipients: true }) };
}

test("Destinations: credit is reserved when bytes are about to be sent, and freed if they are not", () => {
  const { shared, all, bob } = room(true);
  all.charge(100_000);
  assert.is(shared.allows(0, 15_000 + 115_001), false);
  assert.is(shared.allows(0, 15_000 + 115_000), true);
  all.settle(bob, "cancelled", 40_000);
  assert.is(bob.final, 40_000);
  assert.is(shared.allows(0, 15_000 + 175_000), true);
  all.charge(200_000);
  all.finish(200_000);
  assert.is(shared.allows(0, 15_000 + 175_000), true, "it is over with bob");
});

test("Destinations: a named receiver blocks the stream; a broadcast drops a receiver that cannot keep up", () => {
  const named = room(true, 10);
  assert.is(named.all.blocker(0, 20, 0, () => assert.unreachable()), named.bob);
  assert.is(named.bob.patience.since, 0);
  const { all, bob, carol } = room(false, 10);
  const left: string[] = [];
  const leaveOut = (destination: Destination): void => void left.push(destination.identity);
  assert.is(all.blocker(0, 20, 0, leaveOut), bob, "it may yet claim");
  carol.note(STATE);
  assert.is(all.blocker(0, 20, CLAIM_WAIT, leaveOut), carol);
  assert.equal(left, ["bob"]);
});

test("Destinations: a late state takes nothing back", () => {
  const { bob } = room(true);
  assert.is(bob.note({ ...STATE, credit: 500_000, received: 10, taken: 10 }), true);
  assert.is(bob.note({ ...STATE, claim: "unclaimed", credit: 5, received: 5, taken: 5 }), false);
  assert.equal([bob.claim, bob.credit, bob.taken], ["claimed", 500_000, 10]);
  bob.note({ ...STATE, end: "cancelled" });
  bob.note({ ...STATE, end: "done" });
  assert.is(bob.outcome, "cancelled");
});

test("Destinations.stalled: receivers that block the sender for too long without progress", () => {
  const { all, bob } = room(true, 10);
  all.blocker(0, 20, 100, () => {});
  assert.is(all.nextStall(1_000), 1_100);
  assert.equal(all.stalled(1_099, 1_000), []);
  assert.equal(all.stalled(1_100, 1_000), [bob]);
  bob.note({ ...STATE, credit: 11 });
  assert.equal(all.stalled(5_000, 1_000), []);
});

test("Destinations: a stream fails when no named receiver is left, a broadcast when no listener is left", () => {
  const named = room(true);
  named.all.settle(named.bob, "disconnected", 0);
  assert.is(named.all.failedDestination(), undefined);
  named.all.settle(named.carol, "refused", 0);
  assert.is(named.all.failedDestination()?.identity, "carol");
  const broadcast = room(false);
  broadcast.all.settle(broadcast.bob, "disconnected", 0);
  broadcast.all.settle(broadcast.carol, "disconnected", 0);
  assert.is(broadcast.all.failedDestination(), undefined, "it goes on to nobody");
  const cancelled = room(false);
  cancelled.bob.note(STATE);
  cancelled.all.settle(cancelled.bob, "cancelled", 0);
  cancelled.all.settle(cancelled.carol, "refused", 0);
  assert.is(cancelled.all.failedDestination()?.identity, "bob");
});

test.run();
