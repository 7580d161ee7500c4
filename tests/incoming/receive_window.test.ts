// The receive window of a stream follows its reader.
import * as assert from "uvu/assert";
import { ReceiveWindow } from "../../actors/incoming/receive_window.ts";
import { ConnectionReceiveWindow, ReceiveBudget } from "../../protocol/flow/credit.ts";
import { DEFAULT_LIMITS } from "../../protocol/limits.ts";
import { pseudorandom } from "../support/bytes.ts";
import { suite } from "../support/harness.ts";
import { inVirtualPair } from "../support/hub/hub_fixture.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const MIB = 1024 * 1024;
const ROUND_TRIP = 100;

const test = suite("ReceiveWindow");

/** A window whose sender uses all credit after a round trip, and whose reader consumes some bytes in each. */
async function windowsOf(perRound: readonly number[], room: number, most = 8 * MIB): Promise<number[]> {
  const time = new VirtualTime();
  const limits = { ...DEFAULT_LIMITS, senderWindow: 1024 * MIB, totalWindow: 1024 * MIB };
  const shared = new ConnectionReceiveWindow(limits, new ReceiveBudget(limits));
  shared.open(1024 * MIB);
  const window = new ReceiveWindow(MIB, most, shared, time);
  const sizes: number[] = [];
  let consumed = 0;
  window.grant(0);
  for (const bytes of perRound) {
    await time.advance(ROUND_TRIP);
    window.charge(window.advertisedLimit);
    const from = consumed;
    consumed = Math.min(consumed + bytes, window.reserved);
    window.consume(from, consumed);
    window.adapt(consumed, room);
    window.grant(consumed);
    sizes.push(window.window);
  }
  return sizes;
}

test("ReceiveWindow.adapt(): the window doubles what its reader consumes in a round trip, up to its bound", async () => {
  const sizes = await windowsOf(Array<number>(12).fill(64 * MIB), 64 * MIB);
  assert.is(sizes[0], MIB);
  assert.is(sizes.at(-1), 8 * MIB);
  for (const [index, size] of sizes.entries()) assert.ok(size <= 2 * (sizes[index - 1] ?? MIB), `${sizes.join(", ")}`);
});

test("ReceiveWindow.adapt(): the window grows by no more than there is room, and not for a slow reader", async () => {
  assert.is((await windowsOf(Array<number>(12).fill(64 * MIB), 0)).at(-1), MIB);
  assert.is((await windowsOf(Array<number>(12).fill(100_000), 64 * MIB)).at(-1), MIB);
  assert.is((await windowsOf(Array<number>(12).fill(64 * MIB), 64 * MIB, MIB)).at(-1), MIB);
});

test("ReceiveWindow.adapt(): the window shrinks to its first size when its reader slows down", async () => {
  const sizes = await windowsOf([...Array<number>(12).fill(64 * MIB), ...Array<number>(12).fill(1_000)], 64 * MIB);
  assert.is(sizes[11], 8 * MIB);
  assert.is(sizes.at(-1), MIB);
});

test("ReceiveWindow.grant(): a window that a handler asks for stays as it is", async () => {
  const time = new VirtualTime();
  const shared = new ConnectionReceiveWindow(DEFAULT_LIMITS, new ReceiveBudget(DEFAULT_LIMITS));
  const window = new ReceiveWindow(MIB, 8 * MIB, shared, time);
  window.grant(0, 2 * MIB);
  for (let round = 1; round < 10; round++) {
    await time.advance(ROUND_TRIP);
    window.charge(window.advertisedLimit);
    window.adapt(round * 2 * MIB, 64 * MIB);
    window.grant(round * 2 * MIB);
    assert.is(window.window, 2 * MIB);
  }
});

/** Bytes a second over a line of 100 MB/s, read by a handler with this option. */
async function goodput(delay: number, bytes: number, options: { window?: number }): Promise<number> {
  let rate = NaN;
  await inVirtualPair(async (alice, bob, { time }) => {
    await time.advance(5_000);
    bob.runtime.registerByteStreamHandler("t", async (reader) => {
      for await (const part of reader) void part;
    }, options);
    const began = time.now();
    await time.run(alice.runtime.sendBytes(pseudorandom(bytes), { topic: "t", destinationIdentities: ["bob"], compress: false }));
    rate = bytes / (time.now() - began) * 1_000;
  }, { link: { kind: "reliable", rate: 100_000_000, delay, queue: { ms: 200 } } });
  return rate;
}

for (const delay of [25, 50, 100, 200]) {
  test(
    `ReceiveWindow: over 100 MB/s and ${delay} ms one way, a stream is 3.5 times as fast as with a window of 1 MiB`,
    async () => {
      const fixed = await goodput(delay, 10_000_000, { window: MIB });
      const adapted = await goodput(delay, 60_000_000, {});
      assert.ok(adapted >= 3.5 * fixed, `${(adapted / 1e6).toFixed(1)} against ${(fixed / 1e6).toFixed(1)} MB/s`);
    },
    { seconds: 60 },
  );
}

test.run();
