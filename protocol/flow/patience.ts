/**
 * How long a sender has waited for one receiver, less what the receiver has made good: a receiver that moves by a byte now and then is as
 * much in the way as one that stands still. Pure: time is given in.
 */
export class Patience {
  /** Milliseconds of waiting before the present wait. */
  #waited = 0;
  #since: number | undefined;
  /** Progress from here on counts, in bytes. */
  #mark = 0;
  #floor = 1;

  /** Since when it has been waited for, earlier waits counted in; undefined while it is not. */
  get since(): number | undefined {
    return this.#since === undefined ? undefined : this.#since - this.#waited;
  }

  /** A wait begins, at a progress of so many bytes; `floor` more make it good. */
  begin(now: number, progress: number, floor: number): void {
    if (this.#since !== undefined) return;
    this.#since = now;
    if (this.#waited > 0) return;
    this.#mark = progress;
    this.#floor = Math.max(1, floor);
  }

  /** The wait is over for now; it goes on with the next one, unless enough was made good. */
  pause(now: number): void {
    if (this.#since === undefined) return;
    this.#waited += now - this.#since;
    this.#since = undefined;
  }

  /** The receiver has come to so many bytes. True: that was enough, and nothing of the wait is held against it. */
  progressed(progress: number): boolean {
    if (progress - this.#mark < this.#floor) return false;
    this.reset();
    return true;
  }

  reset(): void {
    this.#waited = 0;
    this.#since = undefined;
  }
}
