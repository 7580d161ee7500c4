import type { Clock } from "../../common/clock.ts";
import { ACK_BYTES, ACK_DELAY } from "../../protocol/flow/congestion.ts";
import type { AcknowledgedStream } from "../../protocol/wire/control.ts";
import type { IncomingStream } from "../incoming/stream.ts";

/** Most streams in one acknowledgement. */
const ACK_ROWS = 500;

/** Acknowledgements of bulk chunks: at once after many bytes, else after a short delay. */
export class Acknowledgements {
  readonly #clock: Required<Clock>;
  readonly #tell: (streams: readonly AcknowledgedStream[]) => void;
  /** Streams with unacknowledged chunks, and their bytes. */
  readonly #streams = new Set<IncomingStream>();
  #bytes = 0;
  #timer: unknown;

  constructor(clock: Required<Clock>, tell: (streams: readonly AcknowledgedStream[]) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Acknowledges a chunk of that many bytes. */
  add(stream: IncomingStream, bytes: number): void {
    this.#streams.add(stream);
    this.#bytes += bytes;
    if (this.#bytes >= ACK_BYTES) this.#flush();
    else this.#timer ??= this.#clock.setTimeout(() => this.#flush(), ACK_DELAY);
  }

  /** Drops what is not acknowledged yet. */
  clear(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#streams.clear();
    this.#bytes = 0;
  }

  #flush(): void {
    const rows = [...this.#streams].flatMap(({ extension, content: { chunks } }) =>
      extension === undefined ? [] : [{ sequence: extension.sequence, chunks }]
    );
    this.clear();
    for (let at = 0; at < rows.length; at += ACK_ROWS) this.#tell(rows.slice(at, at + ACK_ROWS));
  }
}
