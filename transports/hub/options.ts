import { StreamError } from "../../errors.ts";
import type { Clock } from "../../common/clock.ts";
import { assertKnownNames } from "../../protocol/option_names.ts";
import type { LinkOptions } from "./link_options.ts";
import type { Transport } from "../transport.ts";

/** Options of a hub's simulated links. */
export interface HubOptions {
  /** Link between any two participants without a link of their own. Default: none, so packets have no delay. */
  readonly link?: LinkOptions;
  /** Seed of losses and delays: the same seed and traffic give the same history. Default: 1. */
  readonly seed?: number;
  /** Clock of the links. Default: the system's. */
  readonly clock?: Clock;
}

/** Options of one participant. */
export interface JoinOptions {
  /** Link of the participant. A packet takes the link of its pair, or of its sender, its recipient, the hub, in this order. */
  readonly link?: LinkOptions;
}

/** Directions between two participants. */
export interface PairOptions {
  /** True for packets from the first to the second only. Default: both directions. */
  readonly oneWay?: boolean;
}

/**
 * Room within one process. Participants share nothing else, so a program for a hub also runs on a server.
 *
 * Packets are handed over by reference, without delay and without a copy. Bad networks can be simulated: by links with delay, rate, loss and
 * faults, and by participants that freeze or vanish. Only `from` identifies the sender: handlers see a header's `senderIdentity` unchecked.
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
  /** Identities of the participants, in order of joining. */
  readonly identities: readonly string[];
  /** True if no packet waits for its delivery. Packets on simulated links do not count. */
  readonly idle: boolean;
  /**
   * Joins the room. A participant of the same identity leaves, and its transport ends as "disconnected". Throws StreamError
   * "invalid-argument" unless the identity is a non-empty string and the link is valid.
   */
  join(identity: string, options?: JoinOptions): Transport;
  /** Sets the link between two participants, present or future, for later packets. */
  link(a: string, b: string, options: LinkOptions, pair?: PairOptions): void;
  /** Cuts the connection until `heal`: packets in flight and later ones are lost. Neither side is told. */
  part(a: string, b: string, pair?: PairOptions): void;
  /** Undoes `part`. */
  heal(a: string, b: string, pair?: PairOptions): void;
  /** Stops a participant like a stopped process: up to 4 MiB of packets are kept in each direction, and nobody is told. */
  freeze(identity: string): void;
  /** Resumes a frozen participant: the kept packets are delivered in order. */
  thaw(identity: string): void;
  /**
   * Removes a participant like a killed process: no packet goes in or out, and packets in flight are lost. After `toldAfter` ms the others
   * see it leave, and its transport ends. Default: 0. With `Infinity` that happens only when the identity joins again.
   */
  vanish(identity: string, options?: { toldAfter?: number }): void;
}

/** Throws StreamError "invalid-argument" unless the options are an object with known names; `action` begins the message. */
export function assertOptions(options: unknown, known: Readonly<Record<string, true>>, action: string): void {
  if (typeof options === "object" && options !== null) return assertKnownNames(options, known, action);
  throw new StreamError("invalid-argument", `${action} as the options must be an object: current value is ${String(options)}`);
}
