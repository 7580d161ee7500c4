import type { Transport, TransportEvents } from "millrace";
import { Failure } from "../failure.ts";

/**
 * Milliseconds for a participant to show that it is a Millrace runtime: a server tells of it before it has connected, which takes seconds
 * on a slow line. One that says nothing in that time is sent to as to any LiveKit SDK, and misses the stream if it is not ready.
 */
const INTRODUCTION = 5_000;

/** Receivers that must be in the room before something is sent. */
export interface Receivers {
  readonly identities: readonly string[];
  /** How many must be there if none is named. */
  readonly count: number;
}

/** A transport, and who is there: what a runtime does not tell. */
export class ParticipantWatcher implements Transport {
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

  /**
   * Resolves when all who are named are in the room, or as many as `count` if none is named, and had the time to introduce themselves.
   * Rejects with a Failure "absent", or with the signal's reason.
   */
  async expect({ identities, count }: Receivers, seconds: number, signal: AbortSignal): Promise<void> {
    const absent = (): string[] => identities.filter((identity) => !this.participants().includes(identity));
    const complete = (): boolean => identities.length === 0 ? this.participants().length >= count : absent().length === 0;
    if (!await this.#until(complete, seconds * 1000, signal)) {
      const why = identities.length > 0
        ? `these are not in the room: ${absent().join(", ")}`
        : count > 1
        ? `only ${this.participants().length} of ${count} receivers are in the room`
        : "nobody is in the room";
      throw new Failure("absent", `Cannot send as ${why}: waited ${seconds} s`, { hint: "Wait longer: --wait SECONDS" });
    }
    const introduced = (): boolean => {
      const here = identities.length === 0 ? this.participants() : identities;
      return here.every((identity) => this.#known.has(identity));
    };
    await this.#until(introduced, Math.min(INTRODUCTION, seconds * 1000), signal);
  }

  /** Resolves with whether the condition came true in time. Rejects with the signal's reason. */
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
