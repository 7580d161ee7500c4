import type { Clock } from "../../common/clock.ts";
import type { Peer } from "./peer.ts";

/** Keep-alives per idle timeout; two may be lost. */
const KEEP_ALIVES_PER_TIMEOUT = 3;

/** Least interval of keep-alives, in ms. */
const MIN_INTERVAL_MS = 10;

/** Least idle timeout of a peer that is honoured, in ms. A peer with a shorter one gets three keep-alives a second. */
const MIN_IDLE_TIMEOUT_MS = 1_000;

/** Sends keep-alives to peers with open streams, and ends streams to peers that have fallen silent. */
export class KeepAlive {
  readonly #clock: Required<Clock>;
  /** Time without a sign of life after which streams to a peer end, in ms. */
  readonly #idleTimeout: number;
  readonly #timers = new Map<Peer, unknown>();
  #closed = false;

  constructor(clock: Required<Clock>, idleTimeout: number) {
    this.#clock = clock;
    this.#idleTimeout = idleTimeout;
  }

  /** Starts keep-alives to a peer, for as long as streams with the peer are open. */
  start(peer: Peer): void {
    if (this.#closed || this.#timers.has(peer)) return;
    peer.heardAt = this.#clock.now();
    this.#schedule(peer);
  }

  /** Adapts the interval to a peer's idle timeout, which was just learnt or has changed. */
  adapt(peer: Peer): void {
    if (!this.#timers.has(peer)) return;
    this.#clock.clearTimeout(this.#timers.get(peer));
    this.#schedule(peer);
  }

  /** Stops unless streams with the peer are open, so that no timer keeps the process alive. */
  stop(peer: Peer): void {
    if (!peer.session.busy) this.forget(peer);
  }

  /** Stops for a peer that has left. */
  forget(peer: Peer): void {
    this.#clock.clearTimeout(this.#timers.get(peer));
    this.#timers.delete(peer);
  }

  /** Stops for all peers, for good. */
  close(): void {
    this.#closed = true;
    for (const peer of [...this.#timers.keys()]) this.forget(peer);
  }

  #schedule(peer: Peer): void {
    const claimed = peer.session.hello?.idleTimeout ?? Infinity;
    const timeout = Math.min(Math.max(MIN_IDLE_TIMEOUT_MS, claimed), this.#idleTimeout);
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(peer);
      if (this.#clock.now() - peer.heardAt >= this.#idleTimeout) peer.session.failOutgoing();
      if (!peer.session.busy) return;
      peer.session.queueAllStates();
      this.#schedule(peer);
    }, Math.max(MIN_INTERVAL_MS, timeout / KEEP_ALIVES_PER_TIMEOUT));
    this.#timers.set(peer, timer);
  }
}
