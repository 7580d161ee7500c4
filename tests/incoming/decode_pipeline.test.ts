// DecodePipeline: blocks in order, a few at once, with every failure accounted for.
import process from "node:process";
import * as assert from "uvu/assert";
import type { ReceivedBlock } from "../../actors/incoming/block_queue.ts";
import type { ReceivedContent } from "../../actors/incoming/received_content.ts";
import type { IncomingStream } from "../../actors/incoming/stream.ts";
import { Deferred } from "../../common/promises.ts";
import { DecodePipeline } from "../../actors/readers/decode_pipeline.ts";
import { suite } from "../support/harness.ts";
import { macrotask } from "../support/waiting.ts";

const test = suite("DecodePipeline");

test("DecodePipeline: results come in the order of the blocks, whatever the order of the work", async () => {
  const work = [new Deferred<string>(), new Deferred<string>(), new Deferred<string>()];
  const { stream, taken } = fakeStream(3);
  const offsets: number[] = [];
  const pipeline = new DecodePipeline(stream, (_, offset) => {
    offsets.push(offset);
    return work[offsets.length - 1]?.promise ?? "";
  });
  const results: string[] = [];
  const all = (async () => {
    for (let next = await pipeline.next(); next !== undefined; next = await pipeline.next()) results.push(next.result);
  })();
  for (const index of [2, 1, 0]) work[index]?.resolve(String(index));
  await all;
  assert.equal(results, ["0", "1", "2"]);
  assert.equal(offsets, [0, 1, 2]);
  assert.equal(taken, [0, 1, 2]);
});

test("DecodePipeline: work that fails before its turn is no unhandled rejection, and the first block's failure is given", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    const work = [new Deferred<void>(), new Deferred<void>(), new Deferred<void>()];
    const { stream } = fakeStream(3);
    let begun = 0;
    const pipeline = new DecodePipeline(stream, () => work[begun++]?.promise);
    const next = pipeline.next();
    work[1]?.reject(new Error("the second"));
    await macrotask();
    work[0]?.reject(new Error("the first"));
    const failure = await next.then(() => undefined, (error: Error) => error.message);
    assert.is(failure, "the first");
    const abandoned = pipeline.abandon();
    work[2]?.reject(new Error("the third"));
    await macrotask();
    await abandoned;
    assert.equal(unhandled, []);
  } finally {
    process.off("unhandledRejection", note);
  }
});

test.run();

/** A stream that has come whole, in blocks of one byte. */
function fakeStream(pieces: number): { stream: IncomingStream; taken: number[] } {
  const waiting: ReceivedBlock[] = Array.from(
    { length: pieces },
    (_, index) => ({ memory: Uint8Array.of(index), length: 1, cost: 0, payload: 1 }),
  );
  const taken: number[] = [];
  const content: Partial<ReceivedContent> = { consumed: 0, poll: () => waiting.shift(), drop: () => {} };
  const fake: Partial<IncomingStream> = {
    content: content as ReceivedContent,
    complete: true,
    consume: ({ memory }) => void taken.push(memory[0] ?? NaN),
    check: () => {},
  };
  return { stream: fake as IncomingStream, taken };
}
