import { BoundedMap } from "../../protocol/bounded_map.ts";

/** Participants who have left of whom late packets are known for what they are. */
const REMEMBERED = 256;

/** Calls that tell of others in a room. */
export interface PresenceEvents {
  joined(identity: string): void;
  left(identity: string): void;
  /** It is here by its own word: the server has not told of it. */
  unlisted(identity: string): void;
  /** The server has told of it, or it is gone. */
  settled(identity: string): void;
}

/**
 * Participants of a room beside this one. A server tells seconds late of those who publish no tracks; whoever sends something is here
 * before that. A sid is the server's name for one life of a participant.
 */
export class Presence {
  /** The others, each with its sid once that is known. */
  readonly #present: Map<string, string | undefined>;
  readonly #events: PresenceEvents;
  readonly #left = new BoundedMap<string, true>(REMEMBERED);
  /** Participants who were here when this one's connection was lost, and have not been told of as gone since. */
  #before: Set<string> = new Set();

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
   * Something came from a participant. False: it comes late, from one who has left; unless it is of those that begin something, which one
   * who has come back may send before the server tells of it.
   */
  meet(identity: string, begins: () => boolean): boolean {
    if (this.#present.has(identity)) return true;
    if (this.#left.get(identity) === true && !begins()) return false;
    this.join(identity, undefined);
    return true;
  }

  /** A participant has answered. */
  answered(identity: string): void {
    if (!this.#present.has(identity)) this.join(identity, undefined);
  }

  /** The server told of a participant: a new one, or late news of one that is known. Without a sid: it is here by its own word. */
  join(identity: string, sid: string | undefined): void {
    const known = this.#present.has(identity);
    const before = this.#present.get(identity);
    const news = !known || (before !== undefined && before !== sid);
    if (known && news) this.leave(identity);
    this.#present.set(identity, sid);
    if (sid === undefined) this.#events.unlisted(identity);
    else this.#events.settled(identity);
    if (news) this.#events.joined(identity);
  }

  leave(identity: string): void {
    this.#before.delete(identity);
    if (!this.#present.delete(identity)) return;
    this.#left.set(identity, true);
    this.#events.settled(identity);
    this.#events.left(identity);
  }

  /** Streams with a participant have ended, though it is here. */
  restart(identity: string): void {
    if (!this.#present.has(identity)) return;
    const sid = this.#present.get(identity);
    this.leave(identity);
    this.join(identity, sid);
  }

  /** The connection is lost, and may be resumed or made anew. */
  lost(): void {
    this.#before = new Set(this.#present.keys());
  }

  /** It was made anew: the others were told that this participant had left, and what was under way has ended there. */
  renewed(): void {
    for (const identity of this.#before) this.restart(identity);
  }

  /** Nobody is here any more, and nobody is told of it. */
  clear(): void {
    this.#present.clear();
  }
}
