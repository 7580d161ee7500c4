import fc from "fast-check";
import * as assert from "uvu/assert";
import { BoundedMap } from "../../common/bounded_map.ts";
import { ReplayWindow } from "../../protocol/wire/replay_window.ts";
import { suite } from "../support/harness.ts";

const test = suite("ReplayWindow");

test("law: a ReplayWindow takes a number once, and one far below the highest never", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5_000 }), { maxLength: 3_000, size: "max" }), (numbers) => {
      const sequences = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const number of numbers) {
        assert.is(sequences.take(number), !seen.has(number) && number > highest - 1_024, String(number));
        seen.add(number);
        highest = Math.max(highest, number);
      }
    }),
    { numRuns: 30 },
  );
});

test("BoundedMap: forgets the oldest entries beyond its limit", () => {
  const remembered = new BoundedMap<number, string>(2);
  remembered.set(1, "a");
  remembered.set(2, "b");
  remembered.set(1, "c");
  remembered.set(3, "d");
  assert.equal([1, 2, 3].map((key) => remembered.get(key)), ["c", undefined, "d"]);
});

test.run();
