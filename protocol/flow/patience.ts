/**
 * Stopwatch of a sender's waits for one receiver, in ms. Only enough progress resets the sum of waits: one byte now and then does not.
 * Pure: times are parameters.
 */
export class Patience {
  /** Sum of earlier waits, in ms. */
  #waited = 0;
  #since: number | undefined;
  /** Progress at which the waits began, in bytes, and the progress beyond that which resets them. */
  #mark = 0;
  #floor = 1;

  /** Start of the present wait, moved back by earlier ones; undefined while the sender does not wait. */
  get since(): number | undefined {
    return this.#since === undefined ? undefined : this.#since - this.#waited;
  }

  /** Starts a wait at a progress of that many bytes; `floor` more reset the sum. */
  begin(now: number, progress: number, floor: number): void {
    if (this.#since !== undefined) return;
    this.#since = now;
    if (this.#waited > 0) return;
    this.#mark = progress;
    this.#floor = Math.max(1, floor);
  }

  /** Pauses the wait. */
  pause(now: number): void {
    if (this.#since === undefined) return;
    this.#waited += now - this.#since;
    this.#since = undefined;
  }

  /** Notes the receiver's progress in bytes. Returns true if that resets the sum. */
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
