import type { Transport, TransportEvents } from "millrace";
import { Failure } from "../failure.ts";

/**
 * Time for a participant to send a hello, in ms. A server lists a participant before its connection is complete, seconds early on a slow
 * line. A participant without a hello gets the stream like any LiveKit SDK, and misses the stream if it is not ready.
 */
const HELLO_TIMEOUT_MS = 5_000;

/** Receivers that must be in the room before anything is sent. */
export interface Receivers {
  readonly identities: readonly string[];
  /** Number of receivers, if none is named. */
  readonly count: number;
  /** Action that they are needed for, in messages. Default "send". */
  readonly action?: string;
}

/** Transport that reports participants, which a runtime does not. */
export class ParticipantWatcher implements Transport {
  readonly #inner: Transport;
  /** Participants that have sent a hello. */
  readonly #runtimes = new Set<string>();
  readonly #watchers = new Set<() => void>();
  /** Called when a participant joined or left. */
  onChange: (change: "joined" | "left", identity: string) => void = () => {};
  /** Called when the transport has ended by itself. */
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
        if (packet.type !== "control" || this.#runtimes.has(from)) return; // only Millrace runtimes send control packets
        this.#runtimes.add(from);
        this.#changed();
      },
      joined: (identity) => {
        events.joined(identity);
        this.onChange("joined", identity);
        this.#changed();
      },
      left: (identity) => {
        this.#runtimes.delete(identity);
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
   * Resolves when all named receivers, or `count` if none is named, are present and have sent a hello or let the time for one pass. Rejects
   * with Failure "absent" or with the signal's reason.
   */
  async waitFor({ identities, count, action = "send" }: Receivers, seconds: number, signal: AbortSignal): Promise<void> {
    const absent = (): string[] => identities.filter((identity) => !this.participants().includes(identity));
    const complete = (): boolean => identities.length === 0 ? this.participants().length >= count : absent().length === 0;
    if (!await this.#until(complete, seconds * 1000, signal)) {
      const reason = identities.length > 0
        ? `these are not in the room: ${absent().join(", ")}`
        : count > 1
        ? `only ${this.participants().length} of ${count} receivers are in the room`
        : "nobody is in the room";
      throw new Failure("absent", `Cannot ${action} as ${reason}: waited ${seconds} s`, { hint: "Wait longer: --wait SECONDS" });
    }
    const haveHellos = (): boolean => {
      const here = identities.length === 0 ? this.participants() : identities;
      return here.every((identity) => this.#runtimes.has(identity));
    };
    await this.#until(haveHellos, Math.min(HELLO_TIMEOUT_MS, seconds * 1000), signal);
  }

  /** Resolves with whether the condition became true in time. Rejects with the signal's reason. */
  #until(condition: () => boolean, ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const check = (): void => {
        if (condition()) end(() => resolve(true));
      };
      const abort = (): void => end(() => reject(signal.reason as Error));
      const timer = setTimeout(() => end(() => resolve(condition())), ms);
      this.#watchers.add(check);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      else check();
    });
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }
}
