// What processes tell each other the time by.

/** Milliseconds of a clock that all processes of this machine share, finer than Date's. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
