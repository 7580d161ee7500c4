import fc from "fast-check";
import * as assert from "uvu/assert";
import { LEAST_WINDOW, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { ConnectionReceiveWindow, ConnectionSendWindow, ReceiveBudget, sharedUse } from "../../protocol/flow/credit.ts";
import { resolveLimits } from "../../protocol/limits.ts";
import { suite } from "../support/harness.ts";

const test = suite("credit");

test("ConnectionSendWindow: a stream's first chunk uses no shared credit", () => {
  assert.equal([0, 1, STREAM_CHUNK_SIZE, STREAM_CHUNK_SIZE + 1].map(sharedUse), [0, 0, 0, 1]);
});

test("ConnectionSendWindow: shared credit only rises", () => {
  const credit = new ConnectionSendWindow(1_000);
  assert.is(credit.raise(500), false);
  assert.is(credit.allows(0, STREAM_CHUNK_SIZE + 1_000), true);
  assert.is(credit.allows(0, STREAM_CHUNK_SIZE + 1_001), false);
  credit.use(0, STREAM_CHUNK_SIZE + 1_000);
  assert.is(credit.allows(STREAM_CHUNK_SIZE, STREAM_CHUNK_SIZE + 1), false);
  assert.is(credit.raise(1_001), true);
  assert.is(credit.allows(STREAM_CHUNK_SIZE, STREAM_CHUNK_SIZE + 1), true);
});

test("law: a sender that obeys its credit is never refused, and held bytes stay within the windows", () => {
  const step = fc.record({
    sender: fc.nat({ max: 2 }),
    stream: fc.nat({ max: 3 }),
    bytes: fc.integer({ min: 1, max: 100_000 }),
    take: fc.boolean(),
  });
  const total = fc.constantFrom(0, 100_000, 1_000_000);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), total, (steps, totalWindow) => {
      const limits = resolveLimits({ receiveWindow: 150_000, senderWindow: 300_000, totalWindow });
      const budget = new ReceiveBudget(limits);
      const senders = [0, 1, 2].map(() => {
        const window = new ConnectionReceiveWindow(limits, budget);
        return { window, credit: new ConnectionSendWindow(window.limit), sent: [0, 0, 0, 0], taken: [0, 0, 0, 0] };
      });
      for (const { sender, stream, bytes, take } of steps) {
        const { window, credit, sent, taken } = senders[sender] as (typeof senders)[number];
        const [from, read] = [sent[stream] ?? 0, taken[stream] ?? 0];
        if (take) {
          const to = Math.min(from, read + bytes);
          window.consume(read, to);
          taken[stream] = to;
          window.open(4 * limits.receiveWindow);
          credit.raise(window.limit);
        } else if (credit.allows(from, from + bytes)) {
          credit.use(from, from + bytes);
          assert.is(window.allows(from, from + bytes), true);
          window.receive(from, from + bytes);
          sent[stream] = from + bytes;
        }
        assert.ok(window.held <= limits.senderWindow);
        const held = senders.reduce((sum, { window }) => sum + window.held, 0);
        assert.ok(held <= totalWindow + 3 * LEAST_WINDOW, `${held} held`);
        assert.ok(budget.promised <= totalWindow + 3 * LEAST_WINDOW, `${budget.promised} promised`);
      }
      for (const { window, sent, taken } of senders) {
        window.close();
        sent.forEach((to, stream) => window.consume(taken[stream] ?? 0, to));
      }
      assert.is(budget.promised, 0);
    }),
    { numRuns: 200 },
  );
});

test("ConnectionReceiveWindow: unread bytes of a departed sender still count", () => {
  const limits = resolveLimits({ receiveWindow: 100_000, senderWindow: 100_000, totalWindow: 100_000 });
  const budget = new ReceiveBudget(limits);
  const window = new ConnectionReceiveWindow(limits, budget);
  window.receive(0, 80_000);
  window.close();
  assert.is(budget.promised, 65_000);
  window.consume(0, 80_000);
  assert.is(budget.promised, 0);
});

test.run();
