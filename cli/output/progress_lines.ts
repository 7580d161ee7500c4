import type { Progress } from "millrace";
import { progressText, type ProgressView, type TransferView } from "./progress.ts";

/** Transfer with its last progress. */
interface ShownTransfer {
  readonly label: string;
  readonly progress: Progress;
  /** True if bytes came since the last line. */
  readonly moved: boolean;
}

/** Progress in a log: a line for each transfer every few seconds, also during a stall. */
export class ProgressLines implements ProgressView {
  readonly #print: (line: string) => void;
  readonly #interval: number;
  readonly #transfers = new Map<symbol, ShownTransfer>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(print: (line: string) => void, interval: number) {
    this.#print = print;
    this.#interval = interval;
  }

  start(label: string, total: number | undefined): TransferView {
    const key = Symbol(label);
    const progress = { bytes: 0, bytesPerSecond: 0, ...(total === undefined ? {} : { total }) };
    this.#transfers.set(key, { label, progress, moved: false });
    this.#timer ??= setInterval(() => this.#printAll(), this.#interval);
    return {
      update: (progress) => {
        if (this.#transfers.has(key)) this.#transfers.set(key, { label, progress, moved: true });
      },
      end: () => {
        this.#transfers.delete(key);
        if (this.#transfers.size === 0) this.stop();
      },
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#transfers.clear();
  }

  #printAll(): void {
    for (const [key, { label, progress, moved }] of this.#transfers) {
      const { percent } = progress;
      const text = progressText(moved ? progress : { ...progress, bytesPerSecond: 0 });
      this.#print(`${label}: ${percent === undefined ? "" : `${Math.floor(percent)} %, `}${text}`);
      this.#transfers.set(key, { label, progress, moved: false });
    }
  }
}
