import type { Clock } from "../../common/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { Link } from "./link.ts";
import { type LinkOptions, type LinkPlan, planLink } from "./link_options.ts";
import type { HubMember } from "./member.ts";
import { createRandom, deriveSeed } from "./random.ts";

/** Environment of a link table. */
export interface LinkTableInput {
  readonly clock: Clock;
  readonly seed: number;
  /** Options of pairs without a plan of their own. */
  readonly link: LinkOptions | undefined;
  /** Delivers a packet that has arrived. */
  readonly arrive: (from: HubMember, to: HubMember, packet: Packet) => void;
}

/** Simulated links and cut connections between the members of a hub. */
export class LinkTable {
  readonly #input: LinkTableInput;
  /** Plans of directed pairs. */
  readonly #plans: Map<string, LinkPlan> = new Map();
  /** Directed pairs whose connection is cut. */
  readonly #cuts: Set<string> = new Set();
  readonly #default: LinkPlan | undefined;
  #used = false;

  constructor(input: LinkTableInput) {
    this.#input = input;
    this.#default = this.plan(input.link);
  }

  /** True once a link was planned: from then on packets may have to wait. */
  get used(): boolean {
    return this.#used;
  }

  /** Makes a plan of options. Throws StreamError "invalid-argument". */
  plan(options: LinkOptions | undefined): LinkPlan | undefined {
    if (options === undefined) return undefined;
    this.#used = true;
    return planLink(options);
  }

  /** Sets the plan of a directed pair. */
  setPlan(from: string, to: string, plan: LinkPlan): void {
    this.#plans.set(pairKey(from, to), plan);
  }

  /** Cuts the connection of a directed pair. */
  cut(from: string, to: string): void {
    this.#cuts.add(pairKey(from, to));
  }

  /** Restores the connection of a directed pair. */
  restore(from: string, to: string): void {
    this.#cuts.delete(pairKey(from, to));
  }

  /** Whether the connection of two members is cut in this direction. */
  isCut(from: HubMember, to: HubMember): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(pairKey(from.identity, to.identity));
  }

  /** Finds or makes the link of two members; undefined if the pair has no plan. */
  linkOf(from: HubMember, to: HubMember): Link | undefined {
    const existing = from.links.get(to);
    if (existing !== undefined) return existing;
    const key = pairKey(from.identity, to.identity);
    const plan = this.#plans.get(key) ?? from.plan ?? to.plan ?? this.#default;
    if (plan === undefined) return undefined;
    const { seed, clock, arrive } = this.#input;
    const random = createRandom(deriveSeed(seed, key));
    const link = new Link({ plan, random, clock, arrive: (packet) => arrive(from, to, packet) });
    from.links.set(to, link);
    return link;
  }
}

function pairKey(from: string, to: string): string {
  return `${from.length}:${from}${to}`;
}
