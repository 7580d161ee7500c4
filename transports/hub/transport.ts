import { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import { refusal } from "../packet_size.ts";
import type { HubMember } from "./member.ts";
import type { SharingTransport, TransportEvents } from "../transport.ts";

/** Part of a hub that its transports call. */
export interface HubBackend {
  /** Number of joins and leaves so far. */
  readonly change: number;
  /** True if the hub has no simulated links. */
  readonly direct: boolean;
  /** Identities of the other members. */
  participants(member: HubMember): readonly string[];
  /** Sends a packet; never rejects. */
  send(from: HubMember, packet: Packet, destinations: readonly string[] | undefined): Promise<void>;
  /** Hands over a frame; undefined if a destination cannot take it now. */
  share(from: HubMember, frame: SharedFrame, destinations: readonly string[]): Promise<void> | undefined;
  /** Delivers the notice of the closing to a member. */
  notifyClosed(member: HubMember, error: StreamError): void;
  /** Removes a member when its packets have been delivered. */
  leave(member: HubMember): Promise<void>;
}

/** Transport of one participant of a hub. */
export class HubTransport implements SharingTransport {
  readonly identity: string;
  readonly #hub: HubBackend;
  readonly #member: HubMember;
  #closing: Promise<void> | undefined;

  constructor(hub: HubBackend, member: HubMember) {
    this.identity = member.identity;
    this.#hub = hub;
    this.#member = member;
  }

  get direct(): boolean {
    return this.#hub.direct;
  }

  participants(): readonly string[] {
    return this.#hub.participants(this.#member);
  }

  open(events: TransportEvents): void {
    this.#member.open(events, this.#hub.change);
    if (this.#member.ended !== undefined) this.#hub.notifyClosed(this.#member, this.#member.ended);
  }

  send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    const member = this.#member;
    const problem = member.ended ?? refusal(packet);
    if (problem !== undefined) return Promise.reject(problem);
    return member.freezer === undefined
      ? this.#hub.send(member, packet, destinations)
      : member.freezer.hold(packet, destinations);
  }

  share(frame: SharedFrame, destinations: readonly string[]): Promise<void> | undefined {
    const member = this.#member;
    return member.ended === undefined && member.freezer === undefined ? this.#hub.share(member, frame, destinations) : undefined;
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#member.silence();
    this.#member.end(new StreamError("disconnected", `Cannot send as the transport is closed: identity is "${this.identity}"`));
    return this.#closing = this.#hub.leave(this.#member);
  }
}
