import fc from "fast-check";
import * as assert from "uvu/assert";
import { Reassembler } from "../../protocol/wire/reassembly.ts";
import { BLOCK_OVERHEAD, MemoryAccount, StreamMemory } from "../../protocol/memory_account.ts";
import { suite } from "../support/harness.ts";

const test = suite("Reassembler");

test("law: chunks in any order and number leave the Reassembler once and in order", () => {
  const arrivals = fc.integer({ min: 1, max: 40 }).chain((count) => {
    const indices = Array.from({ length: count }, (_, index) => index);
    return fc.tuple(
      fc.constant(count),
      fc.shuffledSubarray(indices, { minLength: count }),
      fc.array(fc.nat({ max: count - 1 }), { maxLength: 60 }),
    );
  });
  fc.assert(fc.property(arrivals, ([count, order, repeats]) => {
    const got: number[] = [];
    const assembly = new Reassembler((content) => {
      got.push(content[0] ?? -1);
      return true;
    });
    order.forEach((index, i) => {
      assert.is(assembly.place(index, Uint8Array.of(index, 7), 1_000), "taken");
      const repeat = repeats[i];
      if (repeat !== undefined && (repeat < assembly.next || order.indexOf(repeat) <= i)) {
        assert.is(assembly.place(repeat, Uint8Array.of(repeat, 7), 1_000), "known");
        assert.is(assembly.place(repeat, Uint8Array.of(repeat, 8), 1_000), "corrupt");
      }
    });
    assert.equal(got, Array.from({ length: count }, (_, index) => index));
    assert.is(assembly.gap, false);
    assert.is(assembly.heldBytes, 0);
  }));
});

test("Reassembler: holds no more behind a gap than there is room for, empty chunks included", () => {
  const assembly = new Reassembler(() => true);
  assert.is(assembly.place(1, new Uint8Array(60), 100), "taken");
  assert.is(assembly.place(2, new Uint8Array(41), 100), "too-far");
  assert.is(assembly.place(2, new Uint8Array(40), 100), "taken");
  assert.is(assembly.heldBytes, 100);
  let held = 2;
  while (assembly.place(held + 1, new Uint8Array(0), 100) === "taken") held++;
  assert.is(held, 4_096);
  assembly.clear();
  assert.is(assembly.heldBytes, 0);
});

test("Reassembler: holds copies, and a delivery that says stop is corrupt", () => {
  const got: number[] = [];
  const assembly = new Reassembler((content) => got.push(content[0] ?? -1) < 2);
  const content = Uint8Array.of(5);
  assembly.place(1, content, 10);
  content[0] = 6;
  assert.is(assembly.place(0, Uint8Array.of(4), 10), "corrupt");
  assert.equal(got, [4, 5]);
});

test("Reassembler: chunks behind a gap are charged while held, and free when delivered or dropped", () => {
  const memory = new StreamMemory(new MemoryAccount(10_000));
  const assembly = new Reassembler(() => true, memory);
  for (const index of [3, 2, 1]) assembly.place(index, new Uint8Array(100), 10_000);
  assert.is(memory.held, 3 * (100 + BLOCK_OVERHEAD));
  assembly.place(0, new Uint8Array(100), 10_000);
  assert.is(memory.held, 0);
  assembly.place(5, new Uint8Array(100), 10_000);
  assembly.clear();
  assert.is(memory.held, 0);
});

test.run();
