import { inBrackets, StreamError } from "../../errors.ts";
import type { Clock } from "../../common/clock.ts";
import { startInlineWorker } from "./inline_worker.ts";
import type { PoolPlatform, StartedWorker, WorkerHandle } from "./worker.ts";
import { type SlotEvents, type Task, WorkerSlot } from "./worker_slot.ts";

/** Consecutive failed starts after which no more are tried. */
const FAILED_STARTS = 2;

/** Time without an answer after which a worker counts as hanging, in ms. A job takes under 1 ms; a slow disk may take seconds. */
export const PATIENCE_MS: number = 30_000;

/** Calls of a worker set on its pool. */
export interface WorkerSetEvents extends Pick<SlotEvents, "answered" | "lost"> {
  /** Called when a worker has become ready, or can be started. */
  changed(): void;
}

/** Workers of a pool, started one by one on demand. If no worker can be started, this thread replaces them. */
export class WorkerSet {
  readonly #platform: PoolPlatform;
  readonly #size: number;
  readonly #events: WorkerSetEvents;
  readonly #clock: Clock;
  readonly #userWorker: (() => StartedWorker) | undefined;
  readonly #slots: WorkerSlot[] = [];
  readonly #listeners = new Set<(error: StreamError) => void>();
  #startWorker: (() => WorkerHandle) | undefined;
  /** Slot of this thread, if no worker can be started. */
  #inlineSlot: WorkerSlot | undefined;
  /** Unreported error: no worker can be started. */
  #untold: StreamError | undefined;
  #lastFailure: unknown;
  #loading = false;
  #failedStarts = 0;

  /** `startWorker` replaces the module that starts threads, for tests. */
  constructor(
    platform: PoolPlatform,
    size: number,
    events: WorkerSetEvents,
    clock: Clock,
    userWorker: (() => StartedWorker) | undefined,
    startWorker: (() => WorkerHandle) | undefined,
  ) {
    this.#platform = platform;
    this.#size = size;
    this.#events = events;
    this.#clock = clock;
    this.#userWorker = userWorker;
    this.#startWorker = startWorker;
  }

  /** Number of threads that run or are starting. */
  get threads(): number {
    return this.#slots.length - (this.#inlineSlot === undefined ? 0 : 1);
  }

  /** False once no worker could be started. */
  get areAvailable(): boolean {
    return this.#inlineSlot === undefined;
  }

  /** Number of unanswered jobs. */
  get jobs(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.jobs, 0);
  }

  /** Whether a slot is this thread's. */
  isInline(slot: WorkerSlot): boolean {
    return slot === this.#inlineSlot;
  }

  /** Adds a listener. If no worker can be started, one listener is called, once. Returns the call that removes the listener. */
  onUnavailable(tell: (error: StreamError) => void): () => void {
    this.#listeners.add(tell);
    if (this.#untold !== undefined) this.#tellUnavailable(this.#untold);
    return () => void this.#listeners.delete(tell);
  }

  /** Ends a worker as a crash would; false if the index has no worker. */
  crash(index: number): boolean {
    const slot = this.#slots[index];
    slot?.crash();
    return slot !== undefined;
  }

  /** Finds the ready worker with the fewest messages and bytes; undefined if there is none. */
  leastBusy(): WorkerSlot | undefined {
    let least: WorkerSlot | undefined;
    for (const slot of this.#slots) {
      if (!slot.ready || slot.isReserved) continue;
      if (least === undefined || slot.batches < least.batches || (slot.batches === least.batches && slot.bytes < least.bytes)) {
        least = slot;
      }
    }
    return least;
  }

  /** Starts one more worker, unless the set is full or another worker is starting. */
  startOne(): void {
    if (this.#slots.length >= this.#size || this.#loading || this.#slots.some((slot) => !slot.ready)) return;
    if (this.#failedStarts >= FAILED_STARTS) {
      if (this.#slots.length > 0) return;
      this.#inlineSlot = this.#slot(startInlineWorker(this.#platform), Infinity);
      this.#slots.push(this.#inlineSlot);
      this.#tellUnavailable(unavailable(this.#lastFailure));
    } else if (this.#startWorker === undefined) {
      void this.#load();
    } else {
      try {
        this.#slots.push(this.#slot(this.#startWorker(), PATIENCE_MS));
      } catch (error) {
        this.#lastFailure = error;
        this.#failedStarts++;
        this.startOne();
      }
    }
  }

  /** Ends all workers. Returns the unanswered tasks, and a promise of the threads' end. */
  end(): { unanswered: Task[]; gone: Promise<unknown> } {
    const slots = this.#slots.splice(0);
    return { unanswered: slots.flatMap((slot) => slot.abandon()), gone: Promise.all(slots.map(({ gone }) => gone)) };
  }

  #tellUnavailable(error: StreamError): void {
    const [first] = this.#listeners;
    this.#untold = first === undefined ? error : undefined;
    first?.(error);
  }

  #slot(worker: WorkerHandle, patience: number): WorkerSlot {
    const events: SlotEvents = {
      ready: () => {
        this.#failedStarts = 0;
        this.#events.changed();
      },
      answered: (slot, tasks, results) => this.#events.answered(slot, tasks, results),
      lost: (slot, tasks, failure) => {
        this.#slots.splice(this.#slots.indexOf(slot), 1);
        if (!slot.started) {
          this.#lastFailure = failure;
          this.#failedStarts++;
        }
        this.#events.lost(slot, tasks, failure);
      },
    };
    return new WorkerSlot(worker, events, this.#clock, patience);
  }

  async #load(): Promise<void> {
    this.#loading = true;
    try {
      const startWorker = await this.#platform.loadThreads();
      this.#startWorker = () => startWorker(this.#userWorker);
    } catch (error) {
      this.#lastFailure = error;
      this.#failedStarts = FAILED_STARTS;
    }
    this.#loading = false;
    this.#events.changed();
  }
}

function unavailable(cause: unknown): StreamError {
  const message = `Cannot start workers${
    inBrackets(cause)
  }, and all work is done on this thread: see "Bundling" and "In a browser" in the README`;
  return new StreamError("worker-lost", message, { cause });
}
