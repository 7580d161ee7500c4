// Limits of open streams: the arithmetic of both sides.
import fc from "fast-check";
import * as assert from "uvu/assert";
import { DEFAULT_LIMITS, type Limits } from "../../mod.ts";
import { StreamBudget, StreamCredit, StreamGrant } from "../../protocol/flow/stream_credit.ts";
import { suite } from "../support/harness.ts";

const test = suite("stream credit");

interface Sender {
  readonly grant: StreamGrant;
  open: number;
}

function senders(count: number, limits: Limits): { budget: StreamBudget; all: Sender[] } {
  const budget = new StreamBudget(limits);
  const all: Sender[] = [];
  for (let i = 0; i < count; i++) {
    const sender = { open: 0 } as { open: number; grant: StreamGrant };
    sender.grant = new StreamGrant({ limits, budget, allOpen: () => sender.open, raised: () => {} });
    all.push(sender);
  }
  return { budget, all };
}

const step = fc.record({
  at: fc.nat(4),
  act: fc.constantFrom("open", "open", "open", "end", "end", "wait", "lose"),
  count: fc.nat(40),
});

test("law: a StreamGrant never falls, never promises more than the limits, and everything returns", () => {
  fc.assert(fc.property(fc.nat(60), fc.nat(20), fc.array(step, { maxLength: 200 }), (streams, streamsPerSender, steps) => {
    const { budget, all } = senders(5, { ...DEFAULT_LIMITS, streams, streamsPerSender });
    const opened = all.map(() => 0);
    const told = all.map(() => 0);
    for (const { at, act, count } of steps) {
      const sender = all[at] as Sender;
      const limit = sender.grant.limit ?? 0;
      if (act === "open" && (opened[at] as number) < limit) {
        (opened[at] as number)++;
        sender.open++;
        sender.grant.open();
      } else if (act === "end" && sender.open > 0) {
        sender.open--;
        sender.grant.end();
      } else if (act === "wait") sender.grant.noteSender(opened[at] as number, count);
      else if (act === "lose" && (opened[at] as number) < limit) sender.grant.noteSender(++(opened[at] as number), 0);
      assert.ok(budget.promised <= streams, `${budget.promised} of ${streams} promised`);
      for (const [i, { grant, open }] of all.entries()) {
        assert.ok((grant.limit ?? 0) >= (told[i] as number), "a limit has fallen");
        told[i] = grant.limit ?? 0;
        assert.ok(open <= streamsPerSender);
      }
    }
    for (const { grant } of all) grant.close();
    assert.is(budget.promised, all.reduce((sum, { open }) => sum + open, 0));
    for (const sender of all) {
      for (; sender.open > 0; sender.open--) sender.grant.end();
    }
    assert.is(budget.promised, 0);
  }));
});

test("law: whoever waits for a StreamGrant gets a stream as soon as one is free", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 2, max: 8 }), (streams, count) => {
    const { all } = senders(count, { ...DEFAULT_LIMITS, streams });
    const opened = all.map(() => 0);
    for (let round = 0; round < 5 * count; round++) {
      const sender = all[round % count] as Sender;
      sender.grant.noteSender(opened[round % count] as number, 1);
      assert.ok((sender.grant.limit ?? 0) > (opened[round % count] as number), `round ${round}`);
      (opened[round % count] as number)++;
      sender.open++;
      sender.grant.open();
      sender.open--;
      sender.grant.end();
    }
  }));
});

test("StreamGrant: a thousand waiting sends are admitted at once if there is room", () => {
  const { all: [sender] } = senders(1, DEFAULT_LIMITS);
  assert.is(sender?.grant.limit, 64);
  sender?.grant.noteSender(0, 1_000);
  assert.is(sender?.grant.limit, 1_000);
});

test("StreamGrant: a waiting sender gets the stream that another's end makes room for", () => {
  const { all: [first, second] } = senders(2, { ...DEFAULT_LIMITS, streams: 1 });
  first?.grant.noteSender(0, 1);
  first?.grant.open();
  second?.grant.noteSender(0, 1);
  assert.is(second?.grant.limit, 0);
  first?.grant.end();
  assert.is(second?.grant.limit, 1);
});

test("StreamGrant: a raise by one is due only for a sender that has used up its limit", () => {
  const { all: [sender] } = senders(1, { ...DEFAULT_LIMITS, streamsPerSender: 64 });
  for (let i = 0; i < 63; i++) sender?.grant.open();
  sender?.grant.end();
  assert.is(sender?.grant.limit, 65);
  assert.is(sender?.grant.isDue(64), false);
  sender?.grant.open();
  assert.is(sender?.grant.isDue(64), true);
  assert.is(sender?.grant.isDue(65), false);
});

test("StreamGrant: a sender that claims more open streams than allowed gains nothing", () => {
  const { all: [sender], budget } = senders(1, DEFAULT_LIMITS);
  for (let i = 0; i < 10; i++) sender?.grant.noteSender(Number.MAX_SAFE_INTEGER, 0);
  assert.ok((sender?.grant.limit ?? 0) <= 11 * 64, `${sender?.grant.limit}`);
  assert.ok(budget.promised <= 64);
});

test("StreamGrant: 200 senders share the total, and whoever asks gets more", () => {
  const { all, budget } = senders(200, DEFAULT_LIMITS);
  assert.ok(all.every(({ grant }) => (grant.limit ?? 0) >= 2));
  assert.ok(budget.free > 100);
  const [first] = all;
  for (let i = first?.grant.limit ?? 0; i > 0; i--) first?.grant.open();
  const before = first?.grant.limit ?? 0;
  first?.grant.noteSender(before, 10);
  assert.ok((first?.grant.limit ?? 0) > before);
});

test("StreamGrant: without streams to grant, no limit is stated, so that senders are refused at once", () => {
  for (const limits of [{ streams: 0 }, { streamsPerSender: 0 }]) {
    const { all: [sender] } = senders(1, { ...DEFAULT_LIMITS, ...limits });
    assert.is(sender?.grant.limit, undefined);
  }
});

test("StreamGrant: an infinite limit is advertised as a large count", () => {
  const { all: [sender] } = senders(1, { ...DEFAULT_LIMITS, streams: Infinity, streamsPerSender: Infinity });
  assert.ok(Number.isSafeInteger(sender?.grant.limit));
  assert.ok((sender?.grant.limit ?? 0) > 1_000_000);
});

test("StreamCredit: an older packet lowers nothing; without a stated limit any number may open", () => {
  const credit = new StreamCredit();
  assert.ok(credit.available);
  assert.is(credit.raise(undefined), false);
  assert.is(credit.raise(2), true);
  assert.is(credit.raise(1), false);
  credit.take();
  credit.take();
  assert.is(credit.available, false);
  assert.is(credit.opened, 0, "a stream whose header was not sent is not told of");
  credit.open();
  assert.is(credit.opened, 1);
  credit.giveBack();
  assert.is(credit.available, true);
  credit.take();
  credit.end();
  assert.is(credit.available, true, "nobody waits for one who is gone");
});

test.run();
