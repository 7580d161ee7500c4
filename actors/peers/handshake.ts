import type { Clock } from "../../common/clock.ts";
import { Deferred } from "../../common/promises.ts";
import type { ControlMessage, Hello } from "../../protocol/wire/control.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Peer } from "./peer.ts";

/** Longest wait of the first send to a participant for its hello, in ms. After that the participant counts as another SDK's. */
const HELLO_WAIT = 300;

/** Environment of the handshakes of a runtime. */
export interface HandshakeContext {
  readonly clock: Required<Clock>;
  readonly limits: Limits;
  /** Instance of this runtime's present life. */
  instance(): string;
  /** Frame encodings that this runtime reads. */
  readonly encodings: readonly string[];
  /** Smallest window of a handler, in bytes. */
  smallestWindow(): number;
  /** Resolves when the message was sent or dropped. */
  tell(peer: Peer, message: ControlMessage): Promise<void>;
}

/** Hellos to and from the other participants, and the sends that wait for them. */
export class Handshake {
  readonly #context: HandshakeContext;
  readonly #waits = new Map<Peer, Deferred>();

  constructor(context: HandshakeContext) {
    this.#context = context;
  }

  /** Sends a hello that requests the peer's hello. */
  ask(peer: Peer): Promise<void> {
    return this.#context.tell(peer, this.#hello(peer, true));
  }

  /** Sends an updated hello, as windows have changed. */
  repeat(peer: Peer): void {
    void this.#context.tell(peer, this.#hello(peer, false));
  }

  /** Answers a hello, and requests one if the peer's is missing. */
  answer(peer: Peer): void {
    void this.#context.tell(peer, this.#hello(peer, peer.session.kind !== "millrace"));
  }

  /** Whether each peer has sent a hello, or the wait for its hello has timed out. */
  isDone(peers: readonly Peer[]): boolean {
    return peers.every(({ session }) => session.kind !== "unknown");
  }

  /** Resolves when each peer has sent a hello, or the wait for its hello has timed out. */
  async wait(peers: readonly Peer[]): Promise<void> {
    await Promise.all(peers.filter(({ session }) => session.kind === "unknown").map((peer) => this.#waitFor(peer)));
  }

  /** Ends the wait for a peer: its hello has arrived, or the peer has left. */
  settle(peer: Peer): void {
    const wait = this.#waits.get(peer);
    this.#waits.delete(peer);
    wait?.resolve();
  }

  /** Ends all waits. */
  close(): void {
    for (const peer of [...this.#waits.keys()]) this.settle(peer);
  }

  async #waitFor(peer: Peer): Promise<void> {
    const wait = this.#waits.get(peer) ?? this.#startWait(peer);
    await wait.promise; // one promise for all sends keeps their order
  }

  #startWait(peer: Peer): Deferred {
    const { clock } = this.#context;
    const wait = new Deferred();
    this.#waits.set(peer, wait);
    // The wait starts once the hello was sent, as a room's first packet waits for the connection.
    void this.ask(peer).then(() => {
      if (this.#waits.get(peer) !== wait) return;
      const timer = clock.setTimeout(() => {
        peer.session.missHello();
        this.settle(peer);
      }, HELLO_WAIT);
      void wait.promise.then(() => clock.clearTimeout(timer));
    });
    return wait;
  }

  #hello(peer: Peer, answer: boolean): Hello {
    const { limits, encodings } = this.#context;
    const instance = this.#context.instance();
    const streamWindow = Math.min(limits.receiveWindow, this.#context.smallestWindow());
    const credit = peer.session.receiveCredit.window.limit;
    const { idleTimeout } = limits;
    return { kind: "hello", instance, streamWindow, credit, idleTimeout, ...peer.counts.tellLimit(), encodings, answer };
  }
}
