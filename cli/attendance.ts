import type { Transport, TransportEvents } from "millrace";
import { Failure } from "./failure.ts";

/**
 * Milliseconds for somebody who is there to show that he is a Millrace runtime: a server tells of him before he has connected, which takes
 * seconds on a slow line. Whoever says nothing in that time is sent to as to any LiveKit SDK, and whoever is not ready then misses it.
 */
const INTRODUCTION = 5_000;

/** A transport, and who is there: what a runtime does not tell. */
export class Attendance implements Transport {
  readonly #inner: Transport;
  readonly #known = new Set<string>();
  readonly #watchers = new Set<() => void>();
  /** Told of who comes and goes. */
  onChange: (change: "joined" | "left", identity: string) => void = () => {};
  /** Told when the transport has ended by itself. */
  onEnd: (error: Error | undefined) => void = () => {};

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get identity(): string {
    return this.#inner.identity;
  }

  participants(): readonly string[] {
    return this.#inner.participants();
  }

  send(...packet: Parameters<Transport["send"]>): Promise<void> {
    return this.#inner.send(...packet);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  open(events: TransportEvents): void {
    this.#inner.open({
      packet: (packet, from) => {
        events.packet(packet, from);
        if (packet.type !== "control" || this.#known.has(from)) return; // only Millrace runtimes send those
        this.#known.add(from);
        this.#changed();
      },
      joined: (identity) => {
        events.joined(identity);
        this.onChange("joined", identity);
        this.#changed();
      },
      left: (identity) => {
        this.#known.delete(identity);
        events.left(identity);
        this.onChange("left", identity);
        this.#changed();
      },
      closed: (error) => {
        events.closed(error);
        this.onEnd(error);
      },
    });
  }

  /** Resolves when all of them are there, or anybody if none is named, and had the time to introduce themselves. */
  async expect(identities: readonly string[], seconds: number, signal: AbortSignal): Promise<void> {
    const absent = (): string[] => identities.filter((identity) => !this.participants().includes(identity));
    const complete = (): boolean => identities.length === 0 ? this.participants().length > 0 : absent().length === 0;
    if (!await this.#until(complete, seconds * 1000, signal)) {
      const who = identities.length === 0 ? "nobody is in the room" : `these are not in the room: ${absent().join(", ")}`;
      throw new Failure("absent", `Cannot send as ${who}: waited ${seconds} s`, { hint: "Wait longer: --wait SECONDS" });
    }
    const introduced = (): boolean => {
      const here = identities.length === 0 ? this.participants() : identities;
      return here.every((identity) => this.#known.has(identity));
    };
    await this.#until(introduced, Math.min(INTRODUCTION, seconds * 1000), signal);
  }

  /** Whether it came true in time. Rejects with the signal's reason. */
  #until(condition: () => boolean, ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const look = (): void => {
        if (condition()) end(() => resolve(true));
      };
      const abort = (): void => end(() => reject(signal.reason as Error));
      const timer = setTimeout(() => end(() => resolve(condition())), ms);
      this.#watchers.add(look);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      else look();
    });
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }
}
