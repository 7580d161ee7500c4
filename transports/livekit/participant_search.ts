import type { Clock } from "../../common/clock.ts";
import type { Condition } from "./condition.ts";
import type { Presence } from "./presence.ts";
import type { SdkRoom } from "./sdk/room.ts";

/**
 * Longest delay after which the server has listed a participant, in ms. The server lists participants without tracks once in 3 s, and hidden ones
 * never; their packets and answers show that they are present.
 */
const DISCOVERY_TIMEOUT_MS = 3_500;

/** Time between two calls to a missing participant, in ms: a newcomer may not have connected yet. */
const CALL_INTERVAL_MS = 1_000;

/** Parts of a transport that a search needs. */
export interface SearchContext {
  readonly sdk: Pick<SdkRoom, "identity" | "isHere">;
  readonly clock: Required<Clock>;
  readonly presence: Presence;
  /** Notified when a participant has joined or the transport has ended. */
  readonly changed: Condition;
  readonly hasEnded: () => boolean;
}

/** Search for participants that the server has not listed. */
export class ParticipantSearch {
  readonly #context: SearchContext;

  constructor(context: SearchContext) {
    this.#context = context;
  }

  /** Resolves when all are known to be present, when discovery has timed out, or when the transport has ended. */
  async find(identities: readonly string[]): Promise<void> {
    const { sdk, clock, presence, changed, hasEnded } = this.#context;
    const deadline = clock.now() + DISCOVERY_TIMEOUT_MS;
    const missing = (): string[] => identities.filter((identity) => identity !== sdk.identity && !presence.has(identity));
    let calledAt = -Infinity;
    for (let left = DISCOVERY_TIMEOUT_MS; left > 0 && !hasEnded() && missing().length > 0;) {
      if (clock.now() - calledAt >= CALL_INTERVAL_MS) {
        calledAt = clock.now();
        for (const identity of missing()) void this.#call(identity);
      }
      await changed.wait(Math.min(left, CALL_INTERVAL_MS));
      left = deadline - clock.now();
    }
  }

  /** Resolves with whether a participant answers a call. */
  async isHere(identity: string): Promise<boolean> {
    return await this.#context.sdk.isHere(identity, DISCOVERY_TIMEOUT_MS);
  }

  async #call(identity: string): Promise<void> {
    if (await this.isHere(identity) && !this.#context.hasEnded()) this.#context.presence.noteAnswer(identity);
  }
}
