// Common clock of all processes.

/** Milliseconds of a clock that all processes of this machine share, finer than Date's. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
