import { ConnectionReceiveWindow, type ReceiveBudget } from "../../protocol/flow/credit.ts";
import type { Limits } from "../../protocol/limits.ts";

/** Credit granted to a peer for all its streams together, up to the sum of their windows. */
export class ReceiveCredit {
  readonly window: ConnectionReceiveWindow;
  readonly #limits: Limits;
  readonly #due: () => void;
  /** Windows of open streams in bytes, by sequence number, and their sum. */
  readonly #windows = new Map<number, number>();
  #sum = 0;
  #advertised = 0;
  #closed = false;

  /** `due` is called when the credit has risen enough for a packet. */
  constructor(limits: Limits, budget: ReceiveBudget, due: () => void) {
    this.window = new ConnectionReceiveWindow(limits, budget);
    this.#limits = limits;
    this.#due = due;
  }

  /** Bytes by which windows may grow: a quarter of the sender's credit stays for streams that open later. */
  get spare(): number {
    return Math.max(0, this.#limits.senderWindow * 3 / 4 - this.#sum);
  }

  /** Counts the window of an open stream, which is known now or has changed. */
  setWindow(sequence: number, bytes: number): void {
    this.#sum += bytes - (this.#windows.get(sequence) ?? 0);
    this.#windows.set(sequence, bytes);
    this.update();
  }

  /** Uncounts the window of an ended stream. */
  removeWindow(sequence: number): void {
    this.#sum -= this.#windows.get(sequence) ?? 0;
    this.#windows.delete(sequence);
    this.update(); // unread bytes were freed, and no later packet may do this
  }

  /** Raises the credit if the open streams can use more. */
  update(): void {
    if (this.#closed) return; // whole streams are still consumed after the session's end
    this.window.open(this.#sum);
    if (this.window.limit - this.#advertised >= this.window.floor / 4) this.#due();
  }

  /** Limit for a packet that is about to be sent. */
  advertise(): number {
    this.#advertised = this.window.limit;
    return this.#advertised;
  }

  close(): void {
    this.#closed = true;
    this.window.close();
  }
}
