import * as assert from "uvu/assert";
import { type ActorOptions, type AnyActorLogic, createActor, createMachine, SimulatedClock } from "xstate";
import { type Clock, nowOf, systemClock } from "../../common/clock.ts";
import { suite } from "../support/harness.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

/** Clock of an actor: xstate does not export the type's name. */
type XstateClock = NonNullable<ActorOptions<AnyActorLogic>["clock"]>;

const test = suite("VirtualTime");

test("VirtualTime: timers fire in order of time, then of creation, each with its microtasks", async () => {
  const time = new VirtualTime();
  const seen: string[] = [];
  const note = (name: string) => (): void => {
    seen.push(`${name} ${time.now()}`);
    void Promise.resolve().then(() => seen.push(`${name}'s`));
  };
  time.setTimeout(note("c"), 20);
  time.setTimeout(note("a"), 10);
  time.setTimeout(note("b"), 10);
  time.clearTimeout(time.setTimeout(note("never"), 5));
  time.setTimeout(note("never"), Infinity);
  await time.advance(15);
  assert.equal(seen, ["a 10", "a's", "b 10", "b's"]);
  assert.is(time.now(), 15);
  await time.advance(15);
  assert.equal(seen.slice(4), ["c 20", "c's"]);
  assert.is(time.pending, 0);
});

test("VirtualTime.run(): waits for real work, then lets time pass, and gives the promise's value", async () => {
  const time = new VirtualTime({ idle: () => real === 0 });
  let real = 0;
  async function work(): Promise<number> {
    for (let round = 0; round < 3; round++) {
      await new Promise<void>((resolve) => void time.setTimeout(resolve, 1_000));
      real++;
      await new Promise((resolve) => setTimeout(resolve, 3));
      real--;
    }
    return time.now();
  }
  time.setTimeout(() => assert.unreachable("Time moved while work was under way"), 3_001);
  assert.is(await time.run(work()), 3_000);
});

test("VirtualTime.run(): stops at its limit, and passes rejections on", async () => {
  const time = new VirtualTime();
  time.setTimeout(() => {}, 5_000);
  const failed = async (promise: Promise<unknown>): Promise<string> => await promise.then(() => "", String);
  assert.match(await failed(time.run(() => false, { limit: 100 })), "Virtual time ran out");
  assert.is(await failed(time.run(Promise.reject(new Error("so")))), "Error: so");
  await time.run(() => time.now() >= 5_000);
  assert.is(time.now(), 5_000);
});

test("VirtualTime: drives the delays of a machine", async () => {
  const time = new VirtualTime();
  const clock: XstateClock = time;
  const machine = createMachine({ initial: "a", states: { a: { after: { 30_000: "b" } }, b: {} } });
  const actor = createActor(machine, { clock }).start();
  await time.run(() => actor.getSnapshot().value === "b");
  assert.is(time.now(), 30_000);
  actor.stop();
});

test("Clock: fits xstate's clocks, and the other way round", () => {
  const simulated: Clock = new SimulatedClock();
  const xstates: XstateClock = systemClock;
  assert.is(nowOf(simulated), 0);
  assert.ok(nowOf({ ...xstates, setTimeout: systemClock.setTimeout }) > 0);
});

test("systemClock: waits for any delay, and not for ever", async () => {
  const early = (): void => assert.unreachable("A timer fired before its time");
  const ids = [systemClock.setTimeout(early, Infinity), systemClock.setTimeout(early, 2 ** 40), systemClock.setTimeout(early, 5)];
  systemClock.clearTimeout(ids[2]);
  await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, 20));
  for (const id of ids) systemClock.clearTimeout(id);
  systemClock.clearTimeout(undefined);
});

test.run();
