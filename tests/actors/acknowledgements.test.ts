// Acknowledgements of bulk chunks to a sender whose window is small, in a program whose timers are in time, and in a hidden page.
import * as assert from "uvu/assert";
import type { Clock } from "../../common/clock.ts";
import { yieldToEventLoop } from "../../common/event_loop.ts";
import type { IncomingStream } from "../../actors/incoming/stream.ts";
import { Acknowledgements } from "../../actors/peers/acknowledgements.ts";
import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { suite } from "../support/harness.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("Acknowledgements");

/** Chunks of a transfer. */
const CHUNKS = 120;

for (const window of [1, 2, 3, 4, 7]) {
  test(`Acknowledgements: a window of ${window} chunks waits for one slowed timer at most`, async () => {
    const time = new VirtualTime();
    const ms = await transfer(time, slowed(time), window);
    assert.ok(ms <= 1_000, `${CHUNKS} chunks took ${ms} ms`);
    assert.is(time.pending, 0);
  });

  test(`Acknowledgements: a window of ${window} chunks waits for short timers in time`, async () => {
    const time = new VirtualTime();
    const flights = Math.ceil(CHUNKS / window);
    assert.is(await transfer(time, time, window), window < 4 ? 10 * flights : 0);
  });
}

test("Acknowledgements: once timers are in time again, chunks are acknowledged together as before", async () => {
  const time = new VirtualTime();
  let isHidden = true;
  const told: number[] = [];
  const stream = incomingStream();
  const hiding = slowed(time);
  const clock = { ...hiding, setTimeout: (fn: () => void, ms: number) => (isHidden ? hiding : time).setTimeout(fn, ms) };
  const acknowledgements = new Acknowledgements(clock, ([row]) => told.push(row?.chunks ?? -1));
  const add = (): void => {
    stream.content.chunks++;
    acknowledgements.add(stream, STREAM_CHUNK_SIZE);
  };
  add();
  await time.advance(1_000);
  add();
  await turns();
  assert.equal(told, [1, 2], "at the end of the turn");
  isHidden = false;
  await time.advance(1_000); // ends the last slowed timer
  add();
  await turns();
  await time.advance(10);
  add();
  add();
  await turns();
  assert.equal(told, [1, 2, 3], "two chunks wait for the timer");
  await time.advance(10);
  assert.equal(told, [1, 2, 3, 5]);
});

test("Acknowledgements: clear drops what waits for a timer or the turn's end", async () => {
  const time = new VirtualTime();
  const told: number[] = [];
  const acknowledgements = new Acknowledgements(slowed(time), ([row]) => told.push(row?.chunks ?? -1));
  const stream = incomingStream(1);
  acknowledgements.add(stream, 1);
  acknowledgements.clear();
  await time.advance(2_000);
  assert.equal([told, time.pending], [[], 0]);
  acknowledgements.add(stream, 1);
  await time.advance(2_000);
  assert.equal(told, [1]);
  acknowledgements.add(stream, 1);
  acknowledgements.clear();
  await turns();
  await time.advance(2_000);
  assert.equal([told, time.pending], [[1], 0]);
});

test.run();

/** Time that a transfer takes whose sender waits for acknowledgements with a window of chunks in flight, in ms. */
async function transfer(time: VirtualTime, clock: Required<Clock>, window: number): Promise<number> {
  const started = time.now();
  const stream = incomingStream();
  let sent = 0;
  let acknowledged = 0;
  const acknowledgements = new Acknowledgements(clock, ([row]) => acknowledged = row?.chunks ?? -1);
  let ended = started;
  while (acknowledged < CHUNKS) {
    while (sent < CHUNKS && sent - acknowledged < window) {
      stream.content.chunks = ++sent;
      acknowledgements.add(stream, STREAM_CHUNK_SIZE);
    }
    await turns();
    if (acknowledged < sent) await time.advance(1);
    ended = time.now();
  }
  await time.advance(2_000); // fires the last timer
  return ended - started;
}

/** A hidden page's clock: timers fire at whole seconds. */
function slowed(time: VirtualTime): Required<Clock> {
  return {
    setTimeout: (fn, ms) => time.setTimeout(fn, Math.ceil((time.now() + ms) / 1_000) * 1_000 - time.now()),
    clearTimeout: (id) => time.clearTimeout(id),
    now: () => time.now(),
  };
}

function incomingStream(chunks = 0): IncomingStream & { content: { chunks: number } } {
  return { extension: { sequence: 1 }, content: { chunks } } as unknown as IncomingStream & { content: { chunks: number } };
}

/** Lets the calls of the next turn pass. */
async function turns(): Promise<void> {
  await yieldToEventLoop();
  await yieldToEventLoop();
}
