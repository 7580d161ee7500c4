import { StreamError } from "../../errors.ts";
import { type Clock, systemClock } from "../../protocol/clock.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { type LinkOptions, type LinkPlan, planLink } from "./link_options.ts";
import type { Hub, HubOptions, JoinOptions, PairOptions } from "./options.ts";
import { Link } from "./link.ts";
import { type HubBackend, HubTransport } from "./transport.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { type Delivery, HubMember, type Notice } from "./member.ts";
import type { Transport } from "../transport.ts";

/**
 * Makes a room within this process. Throws StreamError "invalid-argument" if its link cannot be used.
 *
 * @example
 * ```ts
 * import { createHub } from "millrace";
 *
 * const hub = createHub();
 * const transport = hub.join("alice");
 * if (hub.identities.join() !== "alice") throw new Error("Alice is not here");
 * await transport.close();
 * ```
 */
export function createHub(options: HubOptions = {}): Hub {
  return new MemoryHub(options);
}

const HUB_OPTIONS: OptionNames<HubOptions> = { link: true, seed: true, clock: true };
const JOIN_OPTIONS: OptionNames<JoinOptions> = { link: true };
const PAIR_OPTIONS: OptionNames<PairOptions> = { oneWay: true };

class MemoryHub implements Hub, HubBackend {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #plan: LinkPlan | undefined;
  readonly #members: Map<string, HubMember> = new Map();
  readonly #drain: DeliveryQueue<Delivery, HubMember> = new DeliveryQueue((delivery, to) => this.#hand(delivery, to));
  /** Lines between pairs, by directed pair. */
  readonly #plans: Map<string, LinkPlan> = new Map();
  readonly #parted: Set<string> = new Set();
  /** Whether any line but the plain one was ever asked for. */
  #simulated = false;
  /** All members; made anew, never changed, so that a broadcast under way keeps the members it was sent to. */
  #everyone: readonly HubMember[] | undefined;
  /** Counts joins and leaves. */
  #change = 0;

  constructor(options: HubOptions) {
    assertOptions(options, HUB_OPTIONS, "Cannot make the hub");
    this.#clock = options.clock ?? systemClock;
    this.#seed = options.seed ?? 1;
    this.#plan = this.#planned(options.link);
  }

  get identities(): readonly string[] {
    return [...this.#members.keys()];
  }

  get idle(): boolean {
    return this.#drain.idle;
  }

  get change(): number {
    return this.#change;
  }

  join(identity: string, options: JoinOptions = {}): Transport {
    if (typeof identity !== "string" || identity === "") {
      throw new StreamError(
        "invalid-argument",
        `Cannot join the hub as the identity must be a string of some length: ${String(identity)}`,
      );
    }
    assertOptions(options, JOIN_OPTIONS, "Cannot join the hub");
    const member = new HubMember(identity, this.#planned(options.link));
    const old = this.#members.get(identity);
    if (old !== undefined) {
      this.#expel(
        old,
        new StreamError("disconnected", `Lost the hub as another joined under the same identity: "${identity}"`, { identity }),
      );
    }
    this.#members.set(identity, member);
    void this.#announce("joined", member);
    return new HubTransport(this, member);
  }

  link(a: string, b: string, options: LinkOptions, pair: PairOptions = {}): void {
    const plan = this.#planned(options);
    if (plan === undefined) return;
    for (const [from, to] of directions(a, b, pair)) {
      this.#plans.set(directed(from, to), plan);
      this.#existing(from, to)?.change(plan);
    }
  }

  part(a: string, b: string, pair: PairOptions = {}): void {
    for (const [from, to] of directions(a, b, pair)) {
      this.#parted.add(directed(from, to));
      this.#existing(from, to)?.cut();
    }
  }

  heal(a: string, b: string, pair: PairOptions = {}): void {
    for (const [from, to] of directions(a, b, pair)) this.#parted.delete(directed(from, to));
  }

  get direct(): boolean {
    return !this.#simulated;
  }

  freeze(identity: string): void {
    this.#member(identity, "freeze").freeze();
  }

  thaw(identity: string): void {
    const member = this.#member(identity, "thaw");
    const kept = member.freezer?.thaw();
    member.freezer = undefined;
    if (kept === undefined) return;
    this.#drain.addFirst(kept.inbox);
    for (const { packet, destinations, settle } of kept.outbox) {
      const sent = this.carry(member, packet, destinations);
      if (settle !== undefined) settle(sent);
    }
  }

  vanish(identity: string, options: { toldAfter?: number } = {}): void {
    assertOptions(options, { toldAfter: true }, "Cannot remove the participant");
    const member = this.#member(identity, "remove");
    const error = new StreamError("disconnected", `Lost the hub as the participant was removed: "${identity}"`, { identity });
    member.vanished = true;
    member.freezer?.drop(error);
    member.freezer = undefined;
    this.#cutLinks(member);
    const toldAfter = options.toldAfter ?? 0;
    if (toldAfter <= 0) return this.#expel(member, error);
    // A member that was expelled meanwhile is in the hub no more, and nothing comes of the timer.
    this.#clock.setTimeout(() => this.#expel(member, error), toldAfter);
  }

  participants(member: HubMember): readonly string[] {
    return this.identities.filter((identity) => identity !== member.identity);
  }

  tellClosed(member: HubMember, error: StreamError): void {
    void this.#drain.add({ from: member, packet: undefined, notice: { type: "closed", error }, targets: member.alone, next: 0 });
  }

  carry(from: HubMember, packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    const targets = from.vanished ? [] : destinations === undefined ? this.#all() : this.#named(destinations);
    if (!this.#simulated) return this.#drain.add({ from, packet, notice: undefined, targets, next: 0 });
    const direct: HubMember[] = [];
    const waits: Promise<void>[] = [];
    for (const to of targets) {
      if (to === from || to.vanished || this.#isParted(from, to)) continue;
      const link = this.#linkOf(from, to);
      const room = link?.take(packet);
      if (link === undefined) direct.push(to);
      else if (room !== undefined) waits.push(room);
    }
    // Also where all goes by links: a sender that never waits for room must not hold the event loop.
    const handed = this.#drain.add({ from, packet, notice: undefined, targets: direct, next: 0 });
    return waits.length === 0 ? handed : handed.then(async () => void await Promise.all(waits));
  }

  async leave(member: HubMember): Promise<void> {
    const arriving = [...member.links.values()].map((link) => link.idle());
    if (arriving.length > 0) await Promise.all(arriving);
    if (!member.vanished) await this.#remove(member);
  }

  #hand(delivery: Delivery, to: HubMember): void {
    if (delivery.packet !== undefined && (to === delivery.from || this.#isParted(delivery.from, to))) return;
    to.receive(delivery);
  }

  #expel(member: HubMember, error: StreamError): void {
    if (this.#members.get(member.identity) !== member) return;
    member.end(error);
    void this.#remove(member);
    this.tellClosed(member, error);
  }

  #remove(member: HubMember): Promise<void> {
    if (this.#members.get(member.identity) !== member) return Promise.resolve();
    this.#members.delete(member.identity);
    this.#cutLinks(member);
    return this.#announce("left", member);
  }

  #announce(type: "joined" | "left", member: HubMember): Promise<void> {
    this.#everyone = undefined;
    const notice: Notice = { type, identity: member.identity, change: ++this.#change };
    return this.#drain.add({
      from: member,
      packet: undefined,
      notice,
      targets: this.#all().filter((other) => other !== member),
      next: 0,
    });
  }

  #cutLinks(member: HubMember): void {
    for (const link of member.links.values()) link.cut();
    member.links.clear();
    for (const other of this.#members.values()) {
      other.links.get(member)?.cut();
      other.links.delete(member);
    }
  }

  #all(): readonly HubMember[] {
    return this.#everyone ??= [...this.#members.values()];
  }

  #named(destinations: readonly string[]): readonly HubMember[] {
    if (destinations.length === 1) return this.#members.get(destinations[0] ?? "")?.alone ?? [];
    const named = new Set<HubMember>();
    for (const identity of destinations) {
      const member = this.#members.get(identity);
      if (member !== undefined) named.add(member);
    }
    return [...named];
  }

  #member(identity: string, action: string): HubMember {
    const member = this.#members.get(identity);
    if (member !== undefined) return member;
    throw new StreamError(
      "invalid-argument",
      `Cannot ${action} the participant as nobody is here under this identity: "${identity}"`,
    );
  }

  #planned(options: LinkOptions | undefined): LinkPlan | undefined {
    if (options === undefined) return undefined;
    this.#simulated = true;
    return planLink(options);
  }

  #isParted(from: HubMember, to: HubMember): boolean {
    return this.#parted.size > 0 && this.#parted.has(directed(from.identity, to.identity));
  }

  #existing(from: string, to: string): Link | undefined {
    const recipient = this.#members.get(to);
    return recipient === undefined ? undefined : this.#members.get(from)?.links.get(recipient);
  }

  #linkOf(from: HubMember, to: HubMember): Link | undefined {
    const existing = from.links.get(to);
    if (existing !== undefined) return existing;
    const name = directed(from.identity, to.identity);
    const plan = this.#plans.get(name) ?? from.plan ?? to.plan ?? this.#plan;
    if (plan === undefined) return undefined;
    const link = new Link({
      plan,
      random: createRandom(deriveSeed(this.#seed, name)),
      clock: this.#clock,
      arrive: (packet) => void this.#drain.add({ from, packet, notice: undefined, targets: to.alone, next: 0 }),
    });
    from.links.set(to, link);
    return link;
  }
}

function assertOptions(options: unknown, known: Readonly<Record<string, true>>, action: string): void {
  if (typeof options === "object" && options !== null) return assertKnownNames(options, known, action);
  throw new StreamError("invalid-argument", `${action} as the options are no object: ${String(options)}`);
}

function directions(a: string, b: string, pair: PairOptions): [from: string, to: string][] {
  assertOptions(pair, PAIR_OPTIONS, "Cannot change the line");
  return pair.oneWay === true ? [[a, b]] : [[a, b], [b, a]];
}

function directed(from: string, to: string): string {
  return `${from.length}:${from}${to}`;
}
