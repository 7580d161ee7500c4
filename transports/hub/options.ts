import type { Clock } from "../../protocol/clock.ts";
import type { LinkOptions } from "./link_options.ts";
import type { Transport } from "../transport.ts";

/** How a hub's simulated links behave; without them none of it matters. */
export interface HubOptions {
  /** The line between any two participants who have no other. Default: none, packets are handed over without delay. */
  readonly link?: LinkOptions;
  /** Decides the fate of packets: the same seed and traffic give the same history. Default: 1. */
  readonly seed?: number;
  /** Tells the links the time. Default: the system's. */
  readonly clock?: Clock;
}

/** Options of one participant. */
export interface JoinOptions {
  /** Its line. A packet goes by the line of its pair, else of its sender, else of its recipient, else of the hub. */
  readonly link?: LinkOptions;
}

/** Which directions between two participants are meant. */
export interface PairOptions {
  /** Only what the first sends to the second. Default: both directions. */
  readonly oneWay?: boolean;
}

/**
 * A room within one process. Participants share nothing but it, so what runs on a hub runs on a server.
 *
 * Packets are handed over by reference, without delay and without a copy. What happens on a bad line can be tried out: by links with
 * delay, rate, loss and faults, by participants who freeze or vanish. Nobody can be trusted to be who a packet says he is but by the
 * `from` of a packet: a header's `senderIdentity` is carried as it is, and handlers see it.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub({ link: { kind: "reliable", delay: 20, rate: 1_000_000, loss: 0.01 } });
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerTextStreamHandler("chat", async (reader) => console.log(await reader.readAll()));
 * await alice.sendText("over a slow line", { topic: "chat" });
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface Hub {
  /** Identities that are here, in order of joining. */
  readonly identities: readonly string[];
  /** Whether nothing is about to be handed over. What is under way on simulated links does not count: it waits for its time. */
  readonly idle: boolean;
  /**
   * Enters the room. Who is here under the same identity is closed ("disconnected"), and has left for the others.
   * Throws StreamError "invalid-argument" if the identity is no string, or empty, or the link cannot be used.
   */
  join(identity: string, options?: JoinOptions): Transport;
  /** Puts a line between two participants, here or yet to come; what is under way arrives as it would have. */
  link(a: string, b: string, options: LinkOptions, pair?: PairOptions): void;
  /** Cuts the line: what is under way and what is sent is lost until `heal`. Neither side is told. */
  part(a: string, b: string, pair?: PairOptions): void;
  /** Joins a parted line. */
  heal(a: string, b: string, pair?: PairOptions): void;
  /** Stops a participant as a stopped process is: nothing more goes in or out, up to 4 MiB each way are kept, nobody is told. */
  freeze(identity: string): void;
  /** Lets a frozen participant go on: what was kept goes its way, in order. */
  thaw(identity: string): void;
  /**
   * Removes a participant as a killed process is: nothing more goes in or out, what is under way is lost. The others are told that it
   * left, and it itself that it is closed, after `toldAfter` ms (default 0; `Infinity`: never, unless it joins again).
   */
  vanish(identity: string, options?: { toldAfter?: number }): void;
}
