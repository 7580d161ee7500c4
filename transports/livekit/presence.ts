import { BoundedMap } from "../../common/bounded_map.ts";

/** Number of departed participants whose late packets are still recognised. */
const MAX_DEPARTED = 256;

/** Changes of the participants of a room. */
export interface PresenceEvents {
  /** A participant joined. */
  joined(identity: string): void;
  /** A participant left. */
  left(identity: string): void;
  /** A participant is present that the server has not listed. */
  unlisted(identity: string): void;
  /** An unlisted participant was listed by the server, or left. */
  settled(identity: string): void;
}

/**
 * Other participants of a room. A server lists participants without tracks seconds late, so a packet counts as a sign of presence. A sid is
 * the server's name for one connection of a participant.
 */
export class Presence {
  /** Present participants, each with its sid if known. */
  readonly #present: Map<string, string | undefined>;
  readonly #events: PresenceEvents;
  readonly #departed = new BoundedMap<string, true>(MAX_DEPARTED);

  constructor(present: ReadonlyMap<string, string | undefined>, events: PresenceEvents) {
    this.#present = new Map(present);
    this.#events = events;
  }

  get identities(): readonly string[] {
    return [...this.#present.keys()];
  }

  has(identity: string): boolean {
    return this.#present.has(identity);
  }

  /**
   * Notes that a participant sent a packet. Returns false for a late packet of a departed participant. A packet that `isOpening` may come
   * from a participant that is back and not listed yet.
   */
  noteSender(identity: string, isOpening: () => boolean): boolean {
    if (this.#present.has(identity)) return true;
    if (this.#departed.get(identity) === true && !isOpening()) return false;
    this.join(identity, undefined);
    return true;
  }

  /** Notes that a participant answered a call. */
  noteAnswer(identity: string): void {
    if (!this.#present.has(identity)) this.join(identity, undefined);
  }

  /** Notes that the server listed a participant, perhaps one that is known. Without a sid the participant itself showed its presence. */
  join(identity: string, sid: string | undefined): void {
    const known = this.#present.has(identity);
    const previous = this.#present.get(identity);
    const isNew = !known || (previous !== undefined && previous !== sid);
    if (known && isNew) this.leave(identity);
    this.#present.set(identity, sid);
    if (sid === undefined) this.#events.unlisted(identity);
    else this.#events.settled(identity);
    if (isNew) this.#events.joined(identity);
  }

  /** Notes that a participant left. */
  leave(identity: string): void {
    if (!this.#present.delete(identity)) return;
    this.#departed.set(identity, true);
    this.#events.settled(identity);
    this.#events.left(identity);
  }

  /** Reports that a participant left and joined again, to end its streams. */
  rejoin(identity: string): void {
    if (!this.#present.has(identity)) return;
    const sid = this.#present.get(identity);
    this.leave(identity);
    this.join(identity, sid);
  }

  /** Forgets all participants without an event. */
  clear(): void {
    this.#present.clear();
  }
}
