import fc from "fast-check";
import * as assert from "uvu/assert";
import { PROGRESS_INTERVAL_MS, ProgressMeter, ProgressTracker } from "../../protocol/progress.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("progress");

test("ProgressTracker: counts as in the seed", () => {
  const tracker = new ProgressTracker(2_000);
  assert.equal([tracker.totalSize, tracker.received, tracker.progress, tracker.complete], [2_000, 0, 0, false]);
  tracker.update(500);
  assert.equal([tracker.received, tracker.progress, tracker.complete], [500, 25, false]);
  tracker.update(0);
  tracker.update(1_500);
  assert.equal([tracker.received, tracker.progress, tracker.complete], [2_000, 100, true]);
  tracker.update(1_000);
  assert.equal([tracker.received, tracker.progress, tracker.complete], [3_000, 150, true]);
});

test("ProgressTracker: an empty or unknown total has no percentage and is complete", () => {
  const tracker = new ProgressTracker(0);
  assert.equal([tracker.progress, tracker.complete], [0, true]);
  tracker.update(10);
  assert.equal([tracker.received, tracker.progress, tracker.complete], [10, 0, true]);
});

test("ProgressTracker: refuses invalid byte counts, and counts on", async () => {
  const wrong = [-1, 1.5, NaN, Infinity, "5", undefined, null, 5n] as number[];
  const tracker = new ProgressTracker(10);
  for (const value of wrong) {
    await rejection(() => new ProgressTracker(value), "invalid-argument");
    await rejection(() => tracker.update(value), "invalid-argument");
  }
  tracker.update(4);
  assert.is(tracker.received, 4);
});

test("ProgressMeter: reports at once, then every 50 ms, and at the end", () => {
  const meter = new ProgressMeter(1_000, 0);
  assert.equal(meter.note(0, 0), { bytes: 0, total: 1_000, percent: 0, bytesPerSecond: 0 });
  assert.is(meter.note(100, 49), undefined);
  assert.is(meter.note(100, 50)?.percent, 10);
  assert.is(meter.note(200, 60), undefined);
  assert.equal(Object.keys(meter.finish(1_000, 61)), ["bytes", "total", "percent", "bytesPerSecond"]);
});

test("ProgressMeter: without a total there is no percentage; an empty total has 0", () => {
  assert.equal(new ProgressMeter(undefined, 0).finish(5, 0), { bytes: 5, bytesPerSecond: 0 });
  assert.equal(new ProgressMeter(0, 0).finish(0, 9), { bytes: 0, total: 0, percent: 0, bytesPerSecond: 0 });
});

test("ProgressMeter: a steady rate is exact from the first interval on", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 50, max: 3_000 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 1e6 }),
      (pauses, rate) => {
        const meter = new ProgressMeter(undefined, 1_000);
        let now = 1_000;
        for (const pause of pauses) {
          now += pause;
          const seen = meter.note((now - 1_000) * rate, now)?.bytesPerSecond ?? NaN;
          assert.ok(Math.abs(seen / (rate * 1_000) - 1) < 1e-9, `rate is ${seen}, expected ${rate * 1_000}`);
        }
      },
    ),
  );
});

test("ProgressMeter: follows a changing rate within about a second", () => {
  const meter = new ProgressMeter(undefined, 0);
  let bytes = 0;
  let now = 0;
  function run(rate: number, milliseconds: number): number {
    let last = 0;
    for (const end = now + milliseconds; now < end;) {
      now += PROGRESS_INTERVAL_MS;
      bytes += rate * PROGRESS_INTERVAL_MS;
      last = meter.note(bytes, now)?.bytesPerSecond ?? NaN;
    }
    return last;
  }
  run(100, 10_000);
  const soon = run(0, 200);
  assert.ok(soon > 70_000 && soon < 90_000, `after 200 ms of nothing: ${soon}`);
  const later = run(0, 2_800);
  assert.ok(later > 0 && later < 6_000, `after 3 s of nothing: ${later}`);
});

test("law: a ProgressMeter reports at least 50 ms apart, without negative values, whatever the clock does", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1e6), fc.integer({ min: -20, max: 200 }))), (steps) => {
      const meter = new ProgressMeter(1e9, 0);
      let [bytes, now, last] = [0, 0, -Infinity];
      for (const [more, pause] of steps) {
        bytes += more;
        now += pause;
        const report = meter.note(bytes, now);
        if (report === undefined) continue;
        assert.ok(now - last >= PROGRESS_INTERVAL_MS);
        assert.ok(report.bytes === bytes && report.bytesPerSecond >= 0 && Number.isFinite(report.bytesPerSecond));
        last = now;
      }
      assert.is(meter.finish(bytes, now).bytes, bytes);
    }),
  );
});

test.run();
