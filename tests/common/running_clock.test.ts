// Time in which the process did not run counts as nobody's silence.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as assert from "uvu/assert";
import { programCommand } from "../../bench/support/program_command.ts";
import type { Clock } from "../../common/clock.ts";
import { runningClock } from "../../actors/common/running_clock.ts";
import { suite } from "../support/harness.ts";

const test = suite("runningClock");

/** A system whose process can be stopped: time goes on, and due timers fire when it runs again, in order. */
class StoppableSystem implements Required<Clock> {
  #now = 1_000;
  #made = 0;
  readonly #timers = new Map<number, { at: number; fn: () => void }>();

  now = (): number => this.#now;

  setTimeout = (fn: () => void, ms: number): number => {
    this.#timers.set(++this.#made, { at: this.#now + ms, fn });
    return this.#made;
  };

  clearTimeout = (id: unknown): void => void this.#timers.delete(id as number);

  heartbeat = (look: () => void, ms: number): () => void => {
    let timer = 0;
    const beat = (): void => {
      timer = this.setTimeout(() => {
        look();
        beat();
      }, ms);
    };
    beat();
    return () => this.clearTimeout(timer);
  };

  get pending(): number {
    return this.#timers.size;
  }

  run(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next[1].at <= until; next = this.#next()) {
      this.#now = Math.max(this.#now, next[1].at);
      this.#fire(next);
    }
    this.#now = until;
  }

  /** The process stands still; then all due timers fire at once. */
  stop(ms: number): void {
    this.#now += ms;
    for (let next = this.#next(); next !== undefined && next[1].at <= this.#now; next = this.#next()) this.#fire(next);
  }

  #next(): [number, { at: number; fn: () => void }] | undefined {
    return [...this.#timers].sort(([a, one], [b, other]) => one.at - other.at || a - b)[0];
  }

  #fire([id, { fn }]: [number, { at: number; fn: () => void }]): void {
    this.#timers.delete(id);
    fn();
  }
}

test("runningClock: a timer fires when due, and leaves nothing", () => {
  const system = new StoppableSystem();
  const clock = runningClock(system, system.heartbeat);
  let fired = 0;
  clock.setTimeout(() => fired++, 3_000);
  system.run(2_999);
  assert.is(fired, 0);
  system.run(1);
  assert.is(fired, 1);
  assert.is(system.pending, 0);
  const cleared = clock.setTimeout(() => fired++, 1_000);
  clock.clearTimeout(cleared);
  clock.clearTimeout(cleared);
  clock.clearTimeout(undefined);
  assert.is(clock.setTimeout(() => fired++, Infinity), undefined);
  assert.is(system.pending, 0);
  system.run(10_000);
  assert.is(fired, 1);
});

for (const stopped of [2_500, 5_000, 60_000, 86_400_000]) {
  test(`runningClock: when the process stands still for ${stopped} ms, timers keep their rest, and no time has passed`, () => {
    const system = new StoppableSystem();
    const clock = runningClock(system, system.heartbeat);
    const fired: string[] = [];
    clock.setTimeout(() => fired.push("soon"), 1_300);
    clock.setTimeout(() => fired.push("late"), 10_000);
    const begun = clock.now();
    system.run(1_000);
    system.stop(stopped);
    assert.ok(clock.now() - begun <= 1_000 + 500 + 1, `${clock.now() - begun} ms have passed`);
    assert.ok(!fired.includes("late"));
    system.run(1_000);
    assert.equal(fired, ["soon"]);
    system.run(6_000);
    assert.equal(fired, ["soon"]);
    system.run(2_000);
    assert.equal(fired, ["soon", "late"]);
    assert.is(system.pending, 0);
  });
}

test("runningClock: a loop held for a second or two is not stopped: that time counts", () => {
  const system = new StoppableSystem();
  const clock = runningClock(system, system.heartbeat);
  let fired = 0;
  clock.setTimeout(() => fired++, 1_500);
  system.stop(1_500);
  assert.is(fired, 1);
});

test("runningClock: without timers, time passes and no timer polls", () => {
  const system = new StoppableSystem();
  const clock = runningClock(system, system.heartbeat);
  const begun = clock.now();
  system.stop(100_000);
  assert.is(clock.now() - begun, 100_000);
  assert.is(system.pending, 0);
});

test("runningClock: streams outlive a process stopped for longer than their idle time-out", async () => {
  if (process.platform === "win32") return assert.ok(true, "there is no SIGSTOP");
  const [program, ...args] = programCommand("tests/fixtures/stopped");
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  try {
    assert.is((await lines.next()).value, "open");
    process.kill(child.pid ?? 0, "SIGSTOP");
    await new Promise((resolve) => void setTimeout(resolve, 4_000)); // as long as the stop is to be
    process.kill(child.pid ?? 0, "SIGCONT");
    child.stdin.end("go on\n");
    assert.is((await lines.next()).value, "whole: before, after");
    await exit;
    assert.is(child.exitCode, 0);
  } finally {
    child.kill("SIGKILL");
  }
});

test.run();
