import { StreamError } from "../../errors.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import type { Random } from "./random.ts";

/** Options of both kinds of link. */
export interface LinkLine {
  /** Time from end to end, one way, in ms. Default: 0. */
  readonly delay?: number;
  /** Bytes a second. Default: no limit. */
  readonly rate?: number;
  /** Bytes that may wait for the line before `send` does, or their time on the line. Default: 2 MiB, as LiveKit's SDKs buffer. */
  readonly queue?: number | { readonly ms: number };
}

/** A link that delivers everything once and in order, as SCTP makes of a bad line: a loss is a stall of all that is behind it. */
export interface ReliableLink extends LinkLine {
  /** Which kind of link it is. */
  readonly kind: "reliable";
  /** Probability that a packet is lost and sent again, each time anew; under 1. Default: 0. */
  readonly loss?: number;
  /** Time until a lost packet is sent again, in ms. Default: three delays, at least 20 (the loss must be noticed and told of). */
  readonly retransmission?: number;
}

/** A link on which packets vanish, come twice and overtake one another. */
export interface FaultyLink extends LinkLine {
  /** Which kind of link it is. */
  readonly kind: "faulty";
  /** Probability that a packet vanishes. Default: 0. */
  readonly lose?: number;
  /** Probability that a packet comes twice. Default: 0. */
  readonly repeat?: number;
  /** Probability that a packet is late, so that others overtake it. Default: 0. */
  readonly reorder?: number;
  /** How late a late packet is at most, in ms. Default: 20 more than the delay. */
  readonly lateness?: number;
}

/** A simulated line between two participants of a hub. */
export type LinkOptions = ReliableLink | FaultyLink;

/** Default of {@linkcode LinkLine.queue}, in bytes: LiveKit's low threshold of its data channels' buffers. */
const DEFAULT_QUEUE = 2 * 1024 * 1024;

const LINE_NAMES: OptionNames<LinkLine> = { delay: true, rate: true, queue: true };

/** Options of each kind of link. */
const LINK_NAMES: { readonly [K in LinkOptions["kind"]]: OptionNames<Extract<LinkOptions, { kind: K }>> } = {
  reliable: { ...LINE_NAMES, kind: true, loss: true, retransmission: true },
  faulty: { ...LINE_NAMES, kind: true, lose: true, repeat: true, reorder: true, lateness: true },
};

/** A link's options with nothing left open. */
export interface LinkPlan {
  /** Bytes in a millisecond. */
  readonly rate: number;
  /** Time on the line of what may wait, in ms. */
  readonly queueMs: number;
  /** Whether a packet never arrives before one that was sent earlier. */
  readonly ordered: boolean;
  /** How long after it left the line each copy of a packet arrives, in ms: none if it vanishes. */
  delays(random: Random): readonly number[];
}

/** Checks a link's options. Throws StreamError "invalid-argument". */
export function planLink(options: LinkOptions): LinkPlan {
  if (typeof options !== "object" || options === null) throw invalid("options", options);
  if (Object.hasOwn(LINK_NAMES, options.kind)) assertKnownNames(options, LINK_NAMES[options.kind], "Cannot set up the link");
  const rate = number(options, "rate", Infinity, Number.MIN_VALUE) / 1000;
  const queue = typeof options.queue === "object" && options.queue !== null
    ? queueTime(options.queue)
    : number(options, "queue", DEFAULT_QUEUE, 0) / rate;
  const line = { rate, queueMs: rate === Infinity ? 0 : queue };
  switch (options.kind) {
    case "reliable":
      return { ...line, ordered: true, delays: reliable(options) };
    case "faulty":
      return { ...line, ordered: false, delays: faulty(options) };
    default:
      throw invalid("kind", (options as LinkOptions).kind);
  }
}

function reliable(options: ReliableLink): LinkPlan["delays"] {
  const delay = duration(options, "delay", 0);
  const loss = number(options, "loss", 0, 0, 0.999);
  const retransmission = duration(options, "retransmission", Math.max(20, 3 * delay));
  return (random) => {
    let arrival = delay;
    while (random() < loss) arrival += retransmission;
    return [arrival];
  };
}

function faulty(options: FaultyLink): LinkPlan["delays"] {
  const delay = duration(options, "delay", 0);
  const lateness = duration(options, "lateness", delay + 20);
  const lose = number(options, "lose", 0, 0, 1);
  const repeat = number(options, "repeat", 0, 0, 1);
  const reorder = number(options, "reorder", 0, 0, 1);
  const one = (random: Random): number => delay + (random() < reorder ? lateness * random() : 0);
  return (random) => {
    if (random() < lose) return [];
    return random() < repeat ? [one(random), one(random)] : [one(random)];
  };
}

function queueTime(queue: { readonly ms: number }): number {
  assertKnownNames(queue, { ms: true }, "Cannot set up the link's queue");
  return number(queue, "ms", 0, 0);
}

function duration(options: object, name: string, otherwise: number): number {
  return number(options, name, otherwise, 0, Number.MAX_SAFE_INTEGER);
}

function number(options: object, name: string, otherwise: number, least: number, most = Infinity): number {
  const value = (options as Record<string, unknown>)[name] ?? otherwise;
  if (typeof value !== "number" || !(value >= least && value <= most)) throw invalid(name, value);
  return value;
}

function invalid(name: string, value: unknown): StreamError {
  return new StreamError("invalid-argument", `Cannot set up the link as its ${name} cannot be used: ${String(value)}`);
}
