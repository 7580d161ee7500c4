import { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { refusal } from "../packet_size.ts";
import type { Seat } from "./member.ts";
import type { Transport, TransportEvents } from "../transport.ts";

/** The hub, as its participants' transports see it. */
export interface Exchange {
  /** Joins and leaves so far. */
  readonly change: number;
  /** Whether there are no lines between participants. */
  readonly direct: boolean;
  participants(seat: Seat): readonly string[];
  /** Sends a packet on its way. Never rejects. */
  carry(from: Seat, packet: Packet, destinations: readonly string[] | undefined): Promise<void>;
  tellClosed(seat: Seat, error: StreamError): void;
  /** Takes a seat out when what it sent has been handed on. */
  leave(seat: Seat): Promise<void>;
}

/** What a participant of a hub holds. */
export class MemoryTransport implements Transport {
  readonly identity: string;
  readonly #hub: Exchange;
  readonly #seat: Seat;
  #closing: Promise<void> | undefined;

  constructor(hub: Exchange, seat: Seat) {
    this.identity = seat.identity;
    this.#hub = hub;
    this.#seat = seat;
  }

  get direct(): boolean {
    return this.#hub.direct;
  }

  participants(): readonly string[] {
    return this.#hub.participants(this.#seat);
  }

  open(events: TransportEvents): void {
    this.#seat.open(events, this.#hub.change);
    if (this.#seat.ended !== undefined) this.#hub.tellClosed(this.#seat, this.#seat.ended);
  }

  send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    const seat = this.#seat;
    const problem = seat.ended ?? refusal(packet);
    if (problem !== undefined) return Promise.reject(problem);
    return seat.freezer === undefined ? this.#hub.carry(seat, packet, destinations) : seat.freezer.hold(packet, destinations);
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#seat.silence();
    this.#seat.end(new StreamError("disconnected", `Cannot send as the transport is closed: identity is "${this.identity}"`));
    return this.#closing = this.#hub.leave(this.#seat);
  }
}
