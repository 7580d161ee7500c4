// The store of segments: what is reused, what is kept, and when memory goes back to it.
import * as assert from "uvu/assert";
import { SEGMENT_CAPACITY, SMALL_SEGMENT_CAPACITY } from "../../protocol/constants.ts";
import { createSegmentStore, type Segment } from "../../workers/segments.ts";
import { suite } from "../support/harness.ts";

const test = suite("segments");

const KEPT_BYTES = 16 * 1024 * 1024;

/** Takes and releases so many segments of a size at once; the memory of each. */
function used(store: ReturnType<typeof createSegmentStore>, count: number, capacity?: number): Set<SharedArrayBuffer> {
  const segments = Array.from({ length: count }, () => store.acquire(capacity));
  for (const segment of segments) segment.release();
  return new Set(segments.map(({ buffer }) => buffer));
}

test("free segments are kept up to 16 MiB in all, whatever their sizes", () => {
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

test("what is taken from the free ones makes room for others, however often", () => {
  const store = createSegmentStore();
  const first = used(store, 1);
  for (let round = 0; round < 1000; round++) assert.equal([...used(store, 1)], [...first]);
});

test("clear() forgets the free ones, and those after it are kept again", () => {
  const store = createSegmentStore();
  const before = used(store, 100);
  store.clear();
  const after = used(store, 60);
  for (const buffer of after) assert.not(before.has(buffer));
  for (const buffer of used(store, 60)) assert.ok(after.has(buffer));
});

test("a segment has the bytes asked for, twice as many at most, and counts with all of them", () => {
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

test("memory goes back once, when its owner has released it and no job holds it, in any order", () => {
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

test.run();
