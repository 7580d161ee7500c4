// Deadlines of many streams on one timer, in virtual time.
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { Deadline, Deadlines } from "../../actors/common/deadlines.ts";
import { suite } from "../support/harness.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("Deadlines");

test("Deadlines: each passes at its time, in order, once; one timer serves all", async () => {
  const { time, deadlines, passed, deadline } = start();
  for (const ms of [30, 10, 20, 10]) deadlines.set(deadline(`${ms}`), ms);
  assert.is(time.pending, 1);
  await time.advance(9);
  assert.equal(passed, []);
  await time.advance(1);
  assert.equal(passed, ["10 at 10", "10 at 10"]);
  await time.advance(100);
  assert.equal(passed.slice(2), ["20 at 20", "30 at 30"]);
  assert.is(time.pending, 0);
});

test("Deadlines: one that is moved, cleared or set to Infinity does not pass at its old time", async () => {
  const { time, deadlines, passed, deadline } = start();
  const [later, sooner, cleared, never] = ["later", "sooner", "cleared", "never"].map(deadline) as [
    Deadline,
    Deadline,
    Deadline,
    Deadline,
  ];
  for (const each of [later, sooner, cleared, never]) deadlines.set(each, 20);
  deadlines.set(later, 40);
  deadlines.set(sooner, 5);
  deadlines.clear(cleared);
  deadlines.set(never, Infinity);
  await time.advance(100);
  assert.equal(passed, ["sooner at 5", "later at 40"]);
});

test("Deadlines: a call may set and clear others, and its own again", async () => {
  const { time, deadlines, passed, deadline } = start();
  const victim = deadline("victim");
  const again: Deadline = new Deadline(() => {
    passed.push(`again at ${time.now()}`);
    if (passed.length < 3) deadlines.set(again, 10);
    deadlines.clear(victim);
  });
  deadlines.set(again, 10);
  deadlines.set(victim, 10);
  await time.advance(100);
  assert.equal(passed, ["again at 10", "again at 20", "again at 30"]);
  assert.is(time.pending, 0);
});

test("Deadlines: without a deadline the timer ends in the next turn of the event loop", async () => {
  const { time, deadlines, deadline } = start();
  const one = deadline("one");
  for (let i = 0; i < 3; i++) {
    deadlines.set(one, 1_000);
    deadlines.clear(one);
  }
  assert.is(time.pending, 1, "short streams follow each other on the same timer");
  await time.advance(0);
  assert.is(time.pending, 0);
  deadlines.set(one, 1_000);
  assert.is(time.pending, 1);
  deadlines.clear(one);
  await time.advance(0);
});

test("Deadlines: none passes early or twice, however they are set and cleared", async () => {
  const change = fc.record({ which: fc.nat(4), ms: fc.option(fc.nat(50), { nil: undefined }), wait: fc.nat(20) });
  const law = fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
    const time = new VirtualTime({ turns: 2 });
    const deadlines = new Deadlines(time);
    const expected: (number | undefined)[] = [];
    const all = Array.from({ length: 5 }, (_, which) =>
      new Deadline(() => {
        assert.is(time.now(), expected[which], "passes at its time");
        expected[which] = undefined;
      }));
    for (const { which, ms, wait } of changes) {
      const one = all[which] as Deadline;
      if (ms === undefined) deadlines.clear(one);
      else deadlines.set(one, ms);
      expected[which] = ms === undefined ? undefined : time.now() + ms;
      await time.advance(wait);
    }
    await time.advance(100);
    assert.equal(expected.filter((at) => at !== undefined), []);
    assert.is(time.pending, 0);
  });
  await fc.assert(law, { numRuns: 60 }); // prints its seed when it fails
});

test.run();

interface Started {
  readonly time: VirtualTime;
  readonly deadlines: Deadlines;
  readonly passed: string[];
  readonly deadline: (name: string) => Deadline;
}

function start(): Started {
  const time = new VirtualTime();
  const passed: string[] = [];
  const deadlines = new Deadlines(time);
  return { time, deadlines, passed, deadline: (name) => new Deadline(() => void passed.push(`${name} at ${time.now()}`)) };
}
