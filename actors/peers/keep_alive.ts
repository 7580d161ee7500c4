import type { Clock } from "../../common/clock.ts";
import { Deadline, type Deadlines } from "../common/deadlines.ts";
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
  readonly #deadlines: Deadlines;
  /** Time without a sign of life after which streams to a peer end, in ms. */
  readonly #idleTimeout: number;
  readonly #due = new Map<Peer, Deadline>();
  #closed = false;

  constructor(clock: Required<Clock>, deadlines: Deadlines, idleTimeout: number) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#idleTimeout = idleTimeout;
  }

  /** Starts keep-alives to a peer, for as long as streams with the peer are open. */
  start(peer: Peer): void {
    if (this.#closed || this.#due.has(peer)) return;
    peer.heardAt = this.#clock.now();
    const deadline: Deadline = new Deadline(() => this.#keepAlive(peer, deadline));
    this.#due.set(peer, deadline);
    this.#schedule(peer, deadline);
  }

  /** Adapts the interval to a peer's idle timeout, which was just learnt or has changed. */
  adapt(peer: Peer): void {
    const deadline = this.#due.get(peer);
    if (deadline !== undefined) this.#schedule(peer, deadline);
  }

  /** Stops unless streams with the peer are open, so that no timer keeps the process alive. */
  stop(peer: Peer): void {
    if (!peer.session.busy) this.forget(peer);
  }

  /** Stops for a peer that has left. */
  forget(peer: Peer): void {
    const deadline = this.#due.get(peer);
    if (deadline === undefined) return;
    this.#deadlines.clear(deadline);
    this.#due.delete(peer);
  }

  /** Stops for all peers, for good. */
  close(): void {
    this.#closed = true;
    for (const peer of [...this.#due.keys()]) this.forget(peer);
  }

  #keepAlive(peer: Peer, deadline: Deadline): void {
    if (this.#clock.now() - peer.heardAt >= this.#idleTimeout) peer.session.failOutgoing();
    if (this.#due.get(peer) !== deadline) return; // the peer's last stream has failed
    if (!peer.session.busy) return this.forget(peer);
    peer.session.queueAllStates();
    this.#schedule(peer, deadline);
  }

  #schedule(peer: Peer, deadline: Deadline): void {
    const claimed = peer.session.hello?.idleTimeout ?? Infinity;
    const timeout = Math.min(Math.max(MIN_IDLE_TIMEOUT_MS, claimed), this.#idleTimeout);
    this.#deadlines.set(deadline, Math.max(MIN_INTERVAL_MS, timeout / KEEP_ALIVES_PER_TIMEOUT));
  }
}
