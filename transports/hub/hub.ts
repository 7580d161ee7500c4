import { StreamError } from "../../errors.ts";
import { type Clock, systemClock } from "../../common/clock.ts";
import type { OptionNames } from "../../protocol/option_names.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import type { Link } from "./link.ts";
import type { LinkOptions } from "./link_options.ts";
import { LinkTable } from "./link_table.ts";
import { assertOptions, type Hub, type HubOptions, type JoinOptions, type PairOptions } from "./options.ts";
import { type HubBackend, HubTransport } from "./transport.ts";
import { type Delivery, HubMember, type Notice } from "./member.ts";
import type { Transport } from "../transport.ts";

/**
 * Makes a room within this process. Throws StreamError "invalid-argument" for invalid options.
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
  readonly #members: Map<string, HubMember> = new Map();
  readonly #links: LinkTable;
  readonly #deliveries: DeliveryQueue<Delivery, HubMember> = new DeliveryQueue((delivery, to) => this.#deliver(delivery, to));
  /** List of all members. It is never changed, only replaced, so that a broadcast keeps its targets. */
  #everyone: readonly HubMember[] | undefined;
  /** Number of joins and leaves so far. */
  #change = 0;

  constructor(options: HubOptions) {
    assertOptions(options, HUB_OPTIONS, "Cannot make the hub");
    this.#clock = options.clock ?? systemClock;
    this.#links = new LinkTable({
      clock: this.#clock,
      seed: options.seed ?? 1,
      link: options.link,
      arrive: (from, to, packet) => void this.#enqueuePacket(from, packet, to.alone),
    });
  }

  get identities(): readonly string[] {
    return [...this.#members.keys()];
  }

  get idle(): boolean {
    return this.#deliveries.idle;
  }

  get change(): number {
    return this.#change;
  }

  join(identity: string, options: JoinOptions = {}): Transport {
    if (typeof identity !== "string" || identity === "") {
      throw new StreamError(
        "invalid-argument",
        `Cannot join the hub as the identity must be a non-empty string: current value is ${JSON.stringify(identity)}`,
      );
    }
    assertOptions(options, JOIN_OPTIONS, "Cannot join the hub");
    const member = new HubMember(identity, this.#links.plan(options.link));
    const old = this.#members.get(identity);
    if (old !== undefined) {
      this.#expel(
        old,
        new StreamError("disconnected", `Lost the hub as another participant joined under the same identity: "${identity}"`, {
          identity,
        }),
      );
    }
    this.#members.set(identity, member);
    void this.#announce("joined", member);
    return new HubTransport(this, member);
  }

  link(a: string, b: string, options: LinkOptions, pair: PairOptions = {}): void {
    const plan = this.#links.plan(options);
    if (plan === undefined) return;
    for (const [from, to] of directions(a, b, pair)) {
      this.#links.setPlan(from, to, plan);
      this.#openLink(from, to)?.change(plan);
    }
  }

  part(a: string, b: string, pair: PairOptions = {}): void {
    for (const [from, to] of directions(a, b, pair)) {
      this.#links.cut(from, to);
      this.#openLink(from, to)?.cut();
    }
  }

  heal(a: string, b: string, pair: PairOptions = {}): void {
    for (const [from, to] of directions(a, b, pair)) this.#links.restore(from, to);
  }

  get direct(): boolean {
    return !this.#links.used;
  }

  freeze(identity: string): void {
    this.#member(identity, "freeze").freeze();
  }

  thaw(identity: string): void {
    const member = this.#member(identity, "thaw");
    const kept = member.freezer?.thaw();
    member.freezer = undefined;
    if (kept === undefined) return;
    this.#deliveries.addFirst(kept.incoming);
    for (const { packet, destinations, settle } of kept.outgoing) {
      const sent = this.send(member, packet, destinations);
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
    // The timer does nothing if the member has left the hub before.
    this.#clock.setTimeout(() => this.#expel(member, error), toldAfter);
  }

  participants(member: HubMember): readonly string[] {
    return this.identities.filter((identity) => identity !== member.identity);
  }

  notifyClosed(member: HubMember, error: StreamError): void {
    void this.#enqueueNotice(member, { type: "closed", error }, member.alone);
  }

  send(from: HubMember, packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    const targets = from.vanished ? [] : destinations === undefined ? this.#all() : this.#named(destinations);
    if (!this.#links.used) return this.#enqueuePacket(from, packet, targets);
    const direct: HubMember[] = [];
    const waits: Promise<void>[] = [];
    for (const to of targets) {
      if (to === from || to.vanished || this.#links.isCut(from, to)) continue;
      const link = this.#links.linkOf(from, to);
      const room = link?.send(packet);
      if (link === undefined) direct.push(to);
      else if (room !== undefined) waits.push(room);
    }
    // Needed without direct targets too: a sender that never waits for room must not block the event loop.
    const delivered = this.#enqueuePacket(from, packet, direct);
    return waits.length === 0 ? delivered : delivered.then(async () => void await Promise.all(waits));
  }

  share(from: HubMember, frame: SharedFrame, destinations: readonly string[]): Promise<void> | undefined {
    const targets = this.#named(destinations);
    if (from.vanished || this.#links.used || !targets.every(({ takesFrames }) => takesFrames)) return undefined;
    return this.#deliveries.add({ from, packet: undefined, frame, notice: undefined, targets, next: 0 });
  }

  async leave(member: HubMember): Promise<void> {
    const arriving = [...member.links.values()].map((link) => link.idle());
    if (arriving.length > 0) await Promise.all(arriving);
    if (!member.vanished) await this.#remove(member);
  }

  #enqueuePacket(from: HubMember, packet: Packet, targets: readonly HubMember[]): Promise<void> {
    return this.#deliveries.add({ from, packet, frame: undefined, notice: undefined, targets, next: 0 });
  }

  #enqueueNotice(from: HubMember, notice: Notice, targets: readonly HubMember[]): Promise<void> {
    return this.#deliveries.add({ from, packet: undefined, frame: undefined, notice, targets, next: 0 });
  }

  #deliver(delivery: Delivery, to: HubMember): void {
    if (delivery.notice === undefined && (to === delivery.from || this.#links.isCut(delivery.from, to))) return;
    to.receive(delivery);
  }

  #expel(member: HubMember, error: StreamError): void {
    if (this.#members.get(member.identity) !== member) return;
    member.end(error);
    void this.#remove(member);
    this.notifyClosed(member, error);
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
    return this.#enqueueNotice(member, notice, this.#all().filter((other) => other !== member));
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
      `Cannot ${action} the participant: expected the identity of a participant of the hub, got "${identity}"`,
    );
  }

  #openLink(from: string, to: string): Link | undefined {
    const recipient = this.#members.get(to);
    return recipient === undefined ? undefined : this.#members.get(from)?.links.get(recipient);
  }
}

function directions(a: string, b: string, pair: PairOptions): [from: string, to: string][] {
  assertOptions(pair, PAIR_OPTIONS, "Cannot change the link");
  return pair.oneWay === true ? [[a, b]] : [[a, b], [b, a]];
}
