import { StreamError } from "../../errors.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import type { Random } from "./random.ts";

/** Options of both kinds of link. */
export interface LinkLine {
  /** One-way delay, in ms. Default: 0. */
  readonly delay?: number;
  /** Rate, in bytes per second. Default: no limit. */
  readonly rate?: number;
  /** Queue beyond which `send` waits, in bytes or in ms on the line. Default: 2 MiB, as in LiveKit's SDKs. */
  readonly queue?: number | { readonly ms: number };
}

/** Link that delivers each packet once and in order, as SCTP does on a bad line: a lost packet delays all later ones. */
export interface ReliableLink extends LinkLine {
  /** Kind of link. */
  readonly kind: "reliable";
  /** Probability of a packet's loss at each attempt, below 1; lost packets are sent again. Default: 0. */
  readonly loss?: number;
  /** Time until a lost packet is sent again, in ms. Default: three delays, at least 20, as the loss must be noticed and reported. */
  readonly retransmission?: number;
}

/** Link that drops, repeats and reorders packets. */
export interface FaultyLink extends LinkLine {
  /** Kind of link. */
  readonly kind: "faulty";
  /** Probability that a packet is dropped. Default: 0. */
  readonly lose?: number;
  /** Probability that a packet arrives twice. Default: 0. */
  readonly repeat?: number;
  /** Probability that a packet is late, so that later ones overtake it. Default: 0. */
  readonly reorder?: number;
  /** Longest extra delay of a late packet, in ms. Default: 20 more than the delay. */
  readonly lateness?: number;
}

/** Options of a simulated link between two participants of a hub. */
export type LinkOptions = ReliableLink | FaultyLink;

/** Default of {@linkcode LinkLine.queue}, in bytes: the low threshold of data channels in LiveKit's SDKs. */
const DEFAULT_QUEUE = 2 * 1024 * 1024;

const LINE_NAMES: OptionNames<LinkLine> = { delay: true, rate: true, queue: true };

/** Option names of each kind of link. */
const LINK_NAMES: { readonly [K in LinkOptions["kind"]]: OptionNames<Extract<LinkOptions, { kind: K }>> } = {
  reliable: { ...LINE_NAMES, kind: true, loss: true, retransmission: true },
  faulty: { ...LINE_NAMES, kind: true, lose: true, repeat: true, reorder: true, lateness: true },
};

/** Link options with all defaults filled in. */
export interface LinkPlan {
  /** Rate, in bytes per ms. */
  readonly rate: number;
  /** Queue beyond which `send` waits, in ms on the line. */
  readonly queueMs: number;
  /** True if packets arrive in the order in which they were sent. */
  readonly ordered: boolean;
  /** Draws the delay of each copy of a packet, in ms; none if the packet is dropped. */
  delays(random: Random): readonly number[];
}

/** Checks link options and fills in the defaults. Throws StreamError "invalid-argument". */
export function planLink(options: LinkOptions): LinkPlan {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
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
      throw invalid("kind", '"reliable" or "faulty"', (options as LinkOptions).kind);
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

function duration(options: object, name: string, fallback: number): number {
  return number(options, name, fallback, 0, Number.MAX_SAFE_INTEGER);
}

function number(options: object, name: string, fallback: number, min: number, max = Infinity): number {
  const value = (options as Record<string, unknown>)[name] ?? fallback;
  if (typeof value !== "number" || !(value >= min && value <= max)) throw invalid(name, rangeText(min, max), value);
  return value;
}

function rangeText(min: number, max: number): string {
  if (max < Number.MAX_SAFE_INTEGER) return `a number from ${min} to ${max}`;
  return min === 0 ? "a number of at least 0" : "a number above 0";
}

function invalid(name: string, expected: string, value: unknown): StreamError {
  return new StreamError(
    "invalid-argument",
    `Cannot set up the link as its ${name} must be ${expected}: current value is ${String(value)}`,
  );
}
