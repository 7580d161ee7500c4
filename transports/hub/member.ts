import { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { QueuedDelivery } from "./delivery_queue.ts";
import type { LinkPlan } from "./link_options.ts";
import { Freezer } from "./freezer.ts";
import type { Link } from "./link.ts";
import type { TransportEvents } from "../transport.ts";

/** Notices of a hub to its participants, beside their packets. */
export type Notice =
  | {
    readonly type: "joined" | "left";
    readonly identity: string; /** Which change of the hub's members it is. */
    readonly change: number;
  }
  | { readonly type: "closed"; readonly error: StreamError };

/** A packet or a notice on its way; never both. */
export interface Delivery extends QueuedDelivery<HubMember> {
  readonly from: HubMember;
  readonly packet: Packet | undefined;
  readonly notice: Notice | undefined;
}

/** A participant, as the hub sees it, from joining to leaving. Who joins again under the same identity has another member. */
export class HubMember {
  readonly identity: string;
  /** The line to and from it, unless a pair has one of its own. */
  readonly plan: LinkPlan | undefined;
  /** A list of this member alone: the targets of nearly every private packet. */
  readonly alone: readonly HubMember[] = [this];
  /** The simulated lines from it. */
  readonly links: Map<HubMember, Link> = new Map();
  /** Why it can send no more. */
  ended: StreamError | undefined;
  /** It vanished: nothing goes in or out, though the others may not know yet. */
  vanished = false;
  freezer: Freezer<Delivery> | undefined;
  #events: TransportEvents | undefined;
  #opened = false;
  /** The last change of members it knew of when it was opened. */
  #knownChange = 0;

  constructor(identity: string, plan: LinkPlan | undefined) {
    this.identity = identity;
    this.plan = plan;
  }

  open(events: TransportEvents, change: number): void {
    if (this.#opened) {
      throw new StreamError(
        "invalid-argument",
        `Cannot open the transport as it has been opened: identity is "${this.identity}"`,
      );
    }
    this.#opened = true;
    this.#events = events;
    this.#knownChange = change;
  }

  /** It sends no more, and is told no more but that it is closed. */
  end(error: StreamError): void {
    this.ended ??= error;
    this.freezer?.drop(this.ended);
    this.freezer = undefined;
  }

  /** Its owner has closed it: it is told nothing at all. */
  silence(): void {
    this.#events = undefined;
  }

  freeze(): void {
    this.freezer ??= new Freezer();
  }

  receive(delivery: Delivery): void {
    const { packet, notice } = delivery;
    if (notice?.type === "closed") {
      const events = this.#events;
      this.#events = undefined;
      events?.closed(notice.error);
    } else if (this.vanished || this.ended !== undefined) {
      return;
    } else if (this.freezer !== undefined) {
      this.freezer.keep(packet, (copy) => ({ ...delivery, packet: copy, targets: this.alone, next: 0 }));
    } else if (packet !== undefined) {
      this.#events?.packet(packet, delivery.from.identity);
    } else if (notice !== undefined && notice.change > this.#knownChange) {
      if (notice.type === "joined") this.#events?.joined(notice.identity);
      else this.#events?.left(notice.identity);
    }
  }
}
