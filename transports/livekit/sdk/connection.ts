import { systemClock, within } from "../../../common/clock.ts";
import type { FfiMessage } from "./ffi_messages.ts";

/** Longest wait for statistics, in ms; they take some 5 ms. */
const ANSWER_MS = 1_000;

/** Statistics of a connection; those of data channels are used. */
export interface ConnectionStats {
  readonly publisherStats: readonly { readonly stats: FfiMessage }[];
}

/** Connection of a Room, told apart from the Room's earlier ones. */
export class Connection {
  readonly #ask: () => Promise<ConnectionStats | undefined>;
  #id: Promise<string | undefined>;

  /** `ask` resolves with the connection's statistics, or undefined if there are none. */
  constructor(ask: () => Promise<ConnectionStats | undefined>) {
    this.#ask = ask;
    this.#id = this.#read();
  }

  /** Resolves with whether the connection is another one than at the last call; false if that is unknown. */
  async isNew(): Promise<boolean> {
    const previous = this.#id;
    this.#id = this.#read();
    const ids = await within(ANSWER_MS, Promise.all([previous, this.#id]), systemClock);
    if (ids === undefined) return false;
    const [before, now] = ids;
    return before !== undefined && now !== undefined && before !== now;
  }

  /** WebRTC numbers the data channels of a process. A resumed connection keeps its channels. */
  async #read(): Promise<string | undefined> {
    const { publisherStats } = await this.#ask().catch(() => undefined) ?? { publisherStats: [] };
    const channels = publisherStats.flatMap(({ stats }) => stats.case === "dataChannel" ? [String(stats.value.rtc.id)] : []);
    return channels.length === 0 ? undefined : channels.sort().join();
  }
}
