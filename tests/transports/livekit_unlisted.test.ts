// Participants whom the server does not list: asked at intervals, and gone when they do not answer.
import * as assert from "uvu/assert";
import { Unlisted } from "../../transports/livekit/unlisted.ts";
import { suite } from "../support/harness.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("Unlisted");

/** Milliseconds within which a departure is known: an interval, and the time-out of an answer. */
const LONGEST_MS = 8_000;

function watched(
  answers: (identity: string) => boolean,
): { unlisted: Unlisted; time: VirtualTime; asked: string[]; gone: string[] } {
  const time = new VirtualTime();
  const asked: string[] = [];
  const gone: string[] = [];
  const unlisted = new Unlisted({
    ask: async (identity) => {
      asked.push(identity);
      return await Promise.resolve(answers(identity));
    },
    gone: (identity) => void gone.push(identity),
    later: (milliseconds, done) => {
      const timer = time.setTimeout(done, milliseconds);
      return () => time.clearTimeout(timer);
    },
    now: () => time.now(),
  });
  return { unlisted, time, asked, gone };
}

test("Unlisted: a participant who does not answer is gone", async () => {
  const { unlisted, time, gone, asked } = watched(() => false);
  unlisted.begin("visitor");
  await time.advance(LONGEST_MS);
  assert.equal([asked, gone], [["visitor"], ["visitor"]]);
  await time.advance(100_000);
  assert.equal(asked, ["visitor"]);
});

test("Unlisted: a participant who answers stays while packets go to or come from it", async () => {
  const { unlisted, time, gone, asked } = watched(() => true);
  unlisted.begin("recorder");
  for (let i = 0; i < 10; i++) {
    await time.advance(10_000);
    unlisted.note("recorder");
  }
  assert.equal(gone, []);
  const sofar = asked.length;
  await time.advance(100_000);
  assert.equal(gone, ["recorder"]);
  assert.ok(asked.length - sofar < 15);
});

test("Unlisted: a participant whom the server lists is not asked again, and its late answer does not count", async () => {
  let answer: (isHere: boolean) => void = () => {};
  const time = new VirtualTime();
  const gone: string[] = [];
  const unlisted = new Unlisted({
    ask: () => new Promise<boolean>((resolve) => answer = resolve),
    gone: (identity) => void gone.push(identity),
    later: (milliseconds, done) => {
      const timer = time.setTimeout(done, milliseconds);
      return () => time.clearTimeout(timer);
    },
    now: () => time.now(),
  });
  unlisted.begin("bob");
  await time.advance(LONGEST_MS);
  unlisted.end("bob");
  answer(false);
  await time.advance(LONGEST_MS);
  unlisted.begin("bob");
  await time.advance(LONGEST_MS);
  unlisted.clear();
  answer(false);
  await time.advance(LONGEST_MS);
  assert.equal(gone, []);
  unlisted.note("nobody");
});

test.run();
