import type { Clock } from "../../common/clock.ts";
import { callNextTurn, cancelNextTurn } from "../../common/platform.ts";
import { ACK_BYTES, ACK_DELAY } from "../../protocol/flow/congestion.ts";
import type { AcknowledgedStream } from "../../protocol/wire/control.ts";
import type { IncomingStream } from "../incoming/stream.ts";

/** Most streams in one acknowledgement. */
const ACK_ROWS = 500;

/** Lateness of a timer, in ms, that shows slowed timers: those of a hidden page fire once a second. */
const SLOWED_MS = 100;

/**
 * Acknowledgements of bulk chunks: at once after many bytes, else after a short delay. While timers are slowed they go at the end of the
 * turn: a sender with a small window would wait for each of them.
 */
export class Acknowledgements {
  readonly #clock: Required<Clock>;
  readonly #tell: (streams: readonly AcknowledgedStream[]) => void;
  /** Streams with unacknowledged chunks, and their bytes. */
  readonly #streams = new Set<IncomingStream>();
  #bytes = 0;
  #timer: unknown;
  #turn: unknown;
  #timersAreSlowed = false;

  constructor(clock: Required<Clock>, tell: (streams: readonly AcknowledgedStream[]) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Acknowledges a chunk of that many bytes. */
  add(stream: IncomingStream, bytes: number): void {
    this.#streams.add(stream);
    this.#bytes += bytes;
    if (this.#bytes >= ACK_BYTES) return this.#flush();
    this.#timer ??= this.#startTimer();
    if (this.#timersAreSlowed) this.#turn ??= callNextTurn(() => this.#flush());
  }

  /** Drops what is not acknowledged yet. */
  clear(): void {
    this.#stopTimer();
    this.#take();
  }

  #flush(): void {
    // Slowed timers run on, to show when they are in time again.
    if (!this.#timersAreSlowed) this.#stopTimer();
    const rows = this.#take().flatMap(({ extension, content: { chunks } }) =>
      extension === undefined ? [] : [{ sequence: extension.sequence, chunks }]
    );
    for (let at = 0; at < rows.length; at += ACK_ROWS) this.#tell(rows.slice(at, at + ACK_ROWS));
  }

  #take(): IncomingStream[] {
    if (this.#turn !== undefined) cancelNextTurn(this.#turn);
    this.#turn = undefined;
    const streams = [...this.#streams];
    this.#streams.clear();
    this.#bytes = 0;
    return streams;
  }

  #startTimer(): unknown {
    const due = this.#clock.now() + ACK_DELAY;
    return this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#timersAreSlowed = this.#clock.now() - due > SLOWED_MS;
      this.#flush();
    }, ACK_DELAY);
  }

  #stopTimer(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
