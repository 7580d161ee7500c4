import { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import type { QueuedDelivery } from "./delivery_queue.ts";
import type { LinkPlan } from "./link_options.ts";
import { Freezer } from "./freezer.ts";
import type { Link } from "./link.ts";
import type { SharingEvents, TransportEvents } from "../transport.ts";

/** Notices of a hub to its participants. */
export type Notice =
  | {
    readonly type: "joined" | "left";
    readonly identity: string;
    /** Number of the change of the hub's members. */
    readonly change: number;
  }
  | { readonly type: "closed"; readonly error: StreamError };

/** Packet, frame or notice on its way; never two of them. */
export interface Delivery extends QueuedDelivery<HubMember> {
  readonly from: HubMember;
  readonly packet: Packet | undefined;
  readonly frame: SharedFrame | undefined;
  readonly notice: Notice | undefined;
}

/** Participant of a hub, from joining to leaving. A participant that joins again is a new member. */
export class HubMember {
  readonly identity: string;
  /** Plan of links to and from this member, unless a pair has its own. */
  readonly plan: LinkPlan | undefined;
  /** List of this member alone: the targets of a packet with one destination. */
  readonly alone: readonly HubMember[] = [this];
  /** Simulated links from this member. */
  readonly links: Map<HubMember, Link> = new Map();
  /** Error of all later sends. */
  ended: StreamError | undefined;
  /** True if the member was removed without a word: no packet goes in or out, though others may not know yet. */
  vanished = false;
  freezer: Freezer<Delivery> | undefined;
  #events: TransportEvents & Partial<SharingEvents> | undefined;
  #opened = false;
  /** Number of the last change of members before `open`. */
  #knownChange = 0;

  constructor(identity: string, plan: LinkPlan | undefined) {
    this.identity = identity;
    this.plan = plan;
  }

  /** Whether frames may come in their sender's memory. */
  get takesFrames(): boolean {
    return this.#events?.shared !== undefined && this.freezer === undefined;
  }

  /** Starts calling the events. `change` is the number of the last change of members. */
  open(events: TransportEvents, change: number): void {
    if (this.#opened) {
      throw new StreamError(
        "invalid-argument",
        `Cannot open the transport as it must be opened only once: identity is "${this.identity}"`,
      );
    }
    this.#opened = true;
    this.#events = events;
    this.#knownChange = change;
  }

  /** Ends sending and receiving; only the notice of the closing is still delivered. */
  end(error: StreamError): void {
    this.ended ??= error;
    this.freezer?.drop(this.ended);
    this.freezer = undefined;
  }

  /** Stops all events: the owner has closed the transport. */
  silence(): void {
    this.#events = undefined;
  }

  /** Holds deliveries and packets from now on. */
  freeze(): void {
    this.freezer ??= new Freezer();
  }

  /** Takes a delivery: calls an event, holds the delivery, or drops it. */
  receive(delivery: Delivery): void {
    const { packet, frame, notice } = delivery;
    if (notice?.type === "closed") {
      const events = this.#events;
      this.#events = undefined;
      events?.closed(notice.error);
    } else if (this.vanished || this.ended !== undefined) {
      return;
    } else if (this.freezer !== undefined) {
      const kept = { ...delivery, frame: undefined, targets: this.alone, next: 0 };
      this.freezer.keep(packet ?? frame?.toChunk(), (copy) => ({ ...kept, packet: copy }));
    } else if (frame !== undefined) {
      this.#events?.shared?.(frame, delivery.from.identity);
    } else if (packet !== undefined) {
      this.#events?.packet(packet, delivery.from.identity);
    } else if (notice !== undefined && notice.change > this.#knownChange) {
      if (notice.type === "joined") this.#events?.joined(notice.identity);
      else this.#events?.left(notice.identity);
    }
  }
}
