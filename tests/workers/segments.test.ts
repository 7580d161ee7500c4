// The store of segments: reuse, limits, and the return of memory.
import * as assert from "uvu/assert";
import { SEGMENT_CAPACITY, SMALL_SEGMENT_CAPACITY } from "../../protocol/constants.ts";
import { createSegmentStore, type Segment } from "../../workers/segments.ts";
import { suite } from "../support/harness.ts";

const test = suite("SegmentStore");

const KEPT_BYTES = 16 * 1024 * 1024;

/** Takes and releases `count` segments of a size at once. Gives the memory of each. */
function used(store: ReturnType<typeof createSegmentStore>, count: number, capacity?: number): Set<ArrayBufferLike> {
  const segments = Array.from({ length: count }, () => store.acquire(capacity));
  for (const segment of segments) segment.release();
  return new Set(segments.map(({ buffer }) => buffer));
}

test("SegmentStore: keeps free segments up to 16 MiB in total, whatever their sizes", () => {
  for (const sizes of [[SEGMENT_CAPACITY], [SMALL_SEGMENT_CAPACITY], [SEGMENT_CAPACITY, SMALL_SEGMENT_CAPACITY, 65_536]]) {
    const store = createSegmentStore();
    const first = sizes.map((size) => used(store, Math.ceil(2 * KEPT_BYTES / size), size));
    const again = sizes.map((size) => used(store, Math.ceil(2 * KEPT_BYTES / size), size));
    let kept = 0;
    for (const [index, buffers] of again.entries()) {
      for (const buffer of buffers) if (first[index]?.has(buffer)) kept += buffer.byteLength;
    }
    assert.ok(kept <= KEPT_BYTES, `${kept} bytes were kept`);
    assert.ok(kept > KEPT_BYTES - SEGMENT_CAPACITY, `${kept} bytes were kept`);
    assert.is(store.inUse, 0);
  }
});

test("SegmentStore: taking free segments makes room for others, any number of times", () => {
  const store = createSegmentStore();
  const first = used(store, 1);
  for (let round = 0; round < 1000; round++) assert.equal([...used(store, 1)], [...first]);
});

test("SegmentStore.clear(): drops free segments, and later ones are kept again", () => {
  const store = createSegmentStore();
  const before = used(store, 100);
  store.clear();
  const after = used(store, 60);
  for (const buffer of after) assert.not(before.has(buffer));
  for (const buffer of used(store, 60)) assert.ok(after.has(buffer));
});

test("SegmentStore: a segment has the requested bytes, twice as many at most, and counts in full", () => {
  const store = createSegmentStore();
  for (
    const capacity of [1, SMALL_SEGMENT_CAPACITY, SMALL_SEGMENT_CAPACITY + 1, 40_000, 70_000, 140_000, SEGMENT_CAPACITY, 500_000]
  ) {
    const segment = store.acquire(capacity);
    const { byteLength } = segment.buffer;
    assert.ok(
      byteLength >= capacity && byteLength <= Math.max(SMALL_SEGMENT_CAPACITY, 2 * capacity),
      `${byteLength} for ${capacity}`,
    );
    assert.is(store.inUse, byteLength);
    segment.release();
    assert.is(store.inUse, 0);
  }
});

test("Segment: is free once its owner released it and no job holds it, in any order", () => {
  type Step = (segment: Segment) => void;
  const pin: Step = (segment) => segment.pin();
  const unpin: Step = (segment) => segment.unpin();
  const release: Step = (segment) => segment.release();
  for (
    const steps of [
      [release, release],
      [pin, release, release, unpin],
      [pin, pin, unpin, release, unpin],
      [pin, unpin, release, release],
      [pin, release, unpin, pin, unpin],
    ]
  ) {
    const store = createSegmentStore();
    const segment = store.acquire();
    let left = false;
    let pins = 0;
    let released = false;
    for (const step of steps) {
      step(segment);
      if (step === pin) pins++;
      if (step === unpin) pins--;
      released ||= step === release;
      left ||= released && pins === 0;
      assert.is(store.inUse === 0, left);
    }
    const [one, other] = [store.acquire(), store.acquire()];
    assert.is.not(one.buffer, other.buffer, "it went back twice");
  }
});

test("Segment.share: the memory is kept until each hold was released, in any order; a second release counts for nothing", () => {
  for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
    const store = createSegmentStore();
    const first = store.acquire();
    const second = first.share();
    const holds = [first, second, second.share()];
    for (const which of order) {
      assert.is(store.inUse, first.buffer.byteLength);
      assert.is(holds[which]?.buffer, first.buffer);
      holds[which]?.release();
      holds[which]?.release();
    }
    assert.is(store.inUse, 0, order.join());
  }
});

test.run();
