import type { StreamError } from "../../errors.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import type { CloseOptions } from "../../protocol/options.ts";
import type { Sliced } from "../../workers/codec.ts";

/** A run of a stream's bytes on its way out. */
export interface Parcel {
  /** Memory that holds the payload from `start` on, and before it room for a frame's header. */
  readonly memory: Uint8Array;
  readonly start: number;
  /** What the codec made of it; it may still be at work. */
  readonly sliced: Sliced | Promise<Sliced>;
  /** Bytes it counts as while it waits. */
  readonly weight: number;
  /** Gives the memory back. */
  release(): void;
}

/** Bytes that wait in a line: what workers have at hand while as much is sent. */
const LINE_BYTES = 8 * SEGMENT_BYTES;

/**
 * The bounded queue between who writes a stream and the pump that sends it. The one place that knows whether a stream can still be
 * written to is its actor; the line only ever ends.
 */
export class Line {
  readonly #parcels: Parcel[] = [];
  readonly #crowded: () => boolean;
  #waiting = 0;
  #end: CloseOptions | undefined;
  #error: StreamError | undefined;
  #wakePump: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  /** `crowded`: memory is short, so that each stream makes do with one parcel. */
  constructor(crowded: () => boolean) {
    this.#crowded = crowded;
  }

  /** Whether what waits is more than half of what may. */
  get pressed(): boolean {
    return this.#waiting > LINE_BYTES / 2;
  }

  /** What `close` said, once it did. */
  get end(): CloseOptions | undefined {
    return this.#end;
  }

  get #full(): boolean {
    return this.#waiting >= LINE_BYTES || (this.#waiting > 0 && this.#crowded());
  }

  /** Resolves when there is room for a parcel; rejects when the line was cut. */
  async room(): Promise<void> {
    while (this.#error === undefined && this.#full) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
    if (this.#error !== undefined) throw this.#error;
  }

  push(parcel: Parcel): void {
    if (this.#error !== undefined || this.#end !== undefined) return abandon(parcel);
    this.#parcels.push(parcel);
    this.#waiting += parcel.weight;
    this.#wakePump?.();
  }

  /** Nothing comes after what was pushed. */
  finish(end: CloseOptions): void {
    this.#end ??= end;
    this.#wakePump?.();
  }

  /** The next parcel; undefined at the end. */
  async shift(): Promise<Parcel | undefined> {
    while (this.#parcels.length === 0 && this.#end === undefined && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakePump = resolve;
      });
      this.#wakePump = undefined;
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#parcels.shift();
  }

  /** A parcel was sent. */
  sent(parcel: Parcel): void {
    parcel.release();
    this.#waiting -= parcel.weight;
    if (!this.#full) this.#wake();
  }

  /** The stream ended early: who writes to it learns why, what waits is dropped. */
  cut(error: StreamError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const parcel of this.#parcels.splice(0)) abandon(parcel);
    this.#wake();
    this.#wakePump?.();
  }

  #wake(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}

/** Drops a parcel; if the codec is still at it, its failure is nobody's concern any more. */
function abandon(parcel: Parcel): void {
  if (parcel.sliced instanceof Promise) parcel.sliced.catch(() => {});
  parcel.release();
}
