// Forms of `runtime.stats()`: plain data, which JSON carries whole. A figure that is not known is absent.
import type { StreamErrorCode } from "../../errors.ts";
import type { StreamWait } from "../common/stream_wait.ts";

/**
 * State of a runtime at one moment, from `runtime.stats()`. It names participants, topics and streams; never files, attributes or contents.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime, type RuntimeStats } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * const writer = await alice.streamText({ topic: "answers" });
 * const { open }: RuntimeStats = alice.stats();
 * if (open[0]?.topic !== "answers" || open[0].waitsFor !== "data") throw new Error("The stream waits for the program");
 * await writer.close();
 * await alice.close();
 * ```
 */
export interface RuntimeStats {
  /** Identity of the runtime. */
  readonly identity: string;
  /** State of the runtime. */
  readonly state: "open" | "closing" | "closed";
  /** Time since the runtime was created, in ms. */
  readonly age: number;
  /** The other participants. */
  readonly peers: readonly PeerStats[];
  /** Open streams, the oldest first within each direction. */
  readonly open: readonly StreamStats[];
  /** The last 256 streams that have ended, the newest last. */
  readonly ended: readonly EndedStreamStats[];
  /** Worker threads of the pool, which other runtimes may share. */
  readonly workers: number;
  /** Jobs that worker threads have done. */
  readonly jobs: number;
  /** Jobs done on the program's thread. */
  readonly inline: number;
  /**
   * Longest hold of the event loop, in ms: of turns in which a runtime of this process worked. From the first call of `stats` on, until ten
   * seconds after the last one, it is that of all turns.
   */
  readonly longestHold: number;
}

/** Another participant. */
export interface PeerStats {
  readonly identity: string;
  /** "sdk" is a participant without Millrace; "unknown" one that may still introduce itself. */
  readonly kind: "millrace" | "sdk" | "unknown";
  /** Open streams to it and from it. */
  readonly sending: number;
  readonly receiving: number;
  /** Bytes that wait here to be sent to it. */
  readonly pending: number;
  /** Bytes that came from it and wait for readers. */
  readonly unread: number;
  /** Least round trip, in ms. Known, as the next three, where packets queue and once bulk was sent. */
  readonly roundTrip?: number;
  /** Bytes that may be in flight to it. */
  readonly window?: number;
  /** Bytes in flight to it. */
  readonly inFlight?: number;
  /** Rate of delivery to it, in bytes per second. */
  readonly rate?: number;
  /** Time since its last sign of life, in ms. */
  readonly heard?: number;
}

/** An open stream. */
export interface StreamStats {
  readonly streamId: string;
  readonly direction: "out" | "in";
  readonly kind: "text" | "bytes";
  readonly topic: string;
  /** Receivers that the sender named, none for a broadcast; of an incoming stream its sender. */
  readonly identities: readonly string[];
  /** State of the stream's actor, or "opening" while the stream waits for receivers. */
  readonly state: "opening" | "open" | "writing" | "closing" | "offered" | "receiving" | "closed" | "failed";
  /** Bytes given to the transport, or that have come. */
  readonly bytes: number;
  /** Bytes in all, if known. */
  readonly size?: number;
  /** Bytes per second: since the last call of `stats` at least 250 ms ago, else since the stream's start. */
  readonly rate: number;
  /** Bytes that wait to be sent, or for the reader. */
  readonly pending: number;
  /** Time since the stream's start, in ms; of an ended one, the time that it took. */
  readonly age: number;
  /** Cause for which the stream waits, if it does. */
  readonly waitsFor?: StreamWait;
}

/** A stream that has ended. */
export interface EndedStreamStats extends Omit<StreamStats, "waitsFor"> {
  readonly state: "closed" | "failed";
  /** Time since its end, in ms. */
  readonly endedAgo: number;
  /** Code of its error. */
  readonly code?: StreamErrorCode;
  /** Reason that the other end has given. */
  readonly reason?: string;
}
