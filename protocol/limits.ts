import { StreamError } from "../errors.ts";
import { LEAST_WINDOW } from "./constants.ts";
import { assertKnownNames } from "./option_names.ts";

/** Limits of a runtime, in bytes, counts and milliseconds. A value exactly at its limit passes. */
export interface Limits {
  /** Bytes of one stream. Default 5 GB, as LiveKit's SDKs. More: "too-large" at both ends. */
  streamBytes: number;
  /** Bytes that `readAll` gathers. Default 256 MiB. More: "too-large". */
  readAllBytes: number;
  /** Open streams of one sender. Default 1,024. One more waits at a Millrace sender for its turn; of another sender it is "refused". */
  streamsPerSender: number;
  /** Open streams of all senders. Default 4,096. One more waits, or is "refused", likewise. */
  streams: number;
  /** Bytes of one stream that wait for its reader. Default 1 MiB; 60,000 at least. */
  receiveWindow: number;
  /** The same for all streams of one sender. Default 16 MiB; 60,000 at least. */
  senderWindow: number;
  /** The same for all senders. Default 256 MiB; each sender has 60,000 bytes in any case. */
  totalWindow: number;
  /** Unread bytes of a stream of another SDK, whose sender cannot be made to wait. Default 64 MiB. More: "too-large". */
  foreignQueue: number;
  /** Milliseconds without a sign of life from the other end. Default 30,000. Then "timeout". */
  idleTimeout: number;
  /** The same for another SDK, which sends no keep-alives. Default 300,000. */
  foreignIdleTimeout: number;
  /** Milliseconds a stream waits for a handler of its topic. Default 5,000. Then "refused". */
  unclaimedTimeout: number;
  /** Milliseconds that a stream waits for a reader after its handler has returned. Default 30,000. Then "cancelled". */
  unreadTimeout: number;
  /** Milliseconds a receiver may keep a sender waiting without taking a byte, or its receipt. Default 30,000. Then "timeout". */
  stallTimeout: number;
  /** Entries of a stream's attributes. Default 2,500, more than a header holds. More: "invalid-argument" at the sender, "refused" at the receiver. */
  attributes: number;
  /** Bytes of all keys and values of the attributes. Default 15,000, as much as a header. */
  attributeBytes: number;
  /** Bytes of a name. Default 15,000, as much as a header. A saved file's name has at most 255. */
  nameBytes: number;
  /** Bytes of a header packet, extension included. Default 15,000: one message of a data channel. */
  headerBytes: number;
}

/**
 * The limits of a runtime that was given none; each with its unit at {@linkcode Limits}.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime, DEFAULT_LIMITS } from "millrace";
 *
 * const limits = { receiveWindow: DEFAULT_LIMITS.receiveWindow / 4 }; // the others stay as they are
 * const alice = await createRuntime({ transport: createHub().join("alice"), limits });
 * await alice.close();
 * ```
 */
export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  streamBytes: 5_000_000_000,
  readAllBytes: 256 * 1024 * 1024,
  streamsPerSender: 1_024,
  streams: 4_096,
  receiveWindow: 1024 * 1024,
  senderWindow: 16 * 1024 * 1024,
  totalWindow: 256 * 1024 * 1024,
  foreignQueue: 64 * 1024 * 1024,
  idleTimeout: 30_000,
  foreignIdleTimeout: 300_000,
  unclaimedTimeout: 5_000,
  unreadTimeout: 30_000,
  stallTimeout: 30_000,
  attributes: 2_500,
  attributeBytes: 15_000,
  nameBytes: 15_000,
  headerBytes: 15_000,
});

const WINDOWS = new Set<string>(["receiveWindow", "senderWindow"]);
const TIMEOUTS = new Set<string>(["idleTimeout", "foreignIdleTimeout", "unclaimedTimeout", "unreadTimeout", "stallTimeout"]);

/** Merges checked limits with the defaults. */
export function resolveLimits(wanted: Partial<Limits> = {}): Limits {
  if (typeof wanted !== "object" || wanted === null) {
    throw new StreamError("invalid-argument", `Cannot use the limits as they are not an object: ${String(wanted)}`);
  }
  assertKnownNames(wanted, { ...DEFAULT_LIMITS }, "Cannot use the limits", "limit");
  const limits: Limits = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined || !isLimit(name)) continue;
    const fits = typeof value === "number" && value >= 0 &&
      (Number.isSafeInteger(value) || value === Infinity || (TIMEOUTS.has(name) && !Number.isNaN(value)));
    if (!fits) {
      throw new StreamError(
        "invalid-argument",
        `Cannot use the limit "${name}" as it must be a count or Infinity: got ${String(value)}`,
      );
    }
    limits[name] = WINDOWS.has(name) ? Math.max(value, LEAST_WINDOW) : value;
  }
  return limits;
}

function isLimit(name: string): name is keyof Limits {
  return Object.hasOwn(DEFAULT_LIMITS, name);
}
