import type { StreamErrorCode } from "../../errors.ts";
import type { Clock } from "../../common/clock.ts";
import type { Codec } from "../../workers/codec.ts";
import type { CodecPool } from "../../workers/pool/options.ts";
import type { FlowWait } from "../common/stream_wait.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { Opening } from "../outgoing/plan.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import type { Peer } from "../peers/peer.ts";
import { type Channel, type Channels, channels } from "./channels.ts";
import { HoldProbe } from "./hold_probe.ts";
import type { PeerMessage, StreamMessage } from "./messages.ts";
import { peerStats } from "./peer_stats.ts";
import type { EndedStreamStats, RuntimeStats, StreamStats } from "./stats.ts";
import { incomingStats, openingStats, outgoingStats, type Unrated } from "./stream_stats.ts";

/** Ended streams that are remembered. */
const REMEMBERED = 256;

/** Least time between two looks for the rate between them, in ms. */
const RATE_MS = 250;

/** Runtime that is watched. */
export interface WatchedRuntime {
  readonly identity: string;
  /** Random id of the runtime. */
  readonly id: string;
  readonly clock: Required<Clock>;
  readonly codec: Codec;
  /** Whether messages carry names. */
  readonly names: boolean;
}

/** Parts of a runtime at the moment of a snapshot. */
export interface Present {
  readonly state: RuntimeStats["state"];
  readonly peers: Iterable<Peer>;
  readonly outgoing: readonly OutgoingStream[];
  readonly incoming: readonly IncomingStream[];
}

/** Stream that has ended, as it is remembered. */
interface Ended {
  readonly stats: Unrated;
  readonly at: number;
  readonly code: StreamErrorCode | undefined;
  readonly reason: string | undefined;
}

/** Bytes of a stream at an earlier look, and the rate up to then. */
interface Look {
  readonly at: number;
  readonly bytes: number;
  readonly rate: number;
}

/** Watch of a runtime: what `stats` tells, and the messages of its channels. Nothing is measured that is not asked for. */
export class RuntimeWatch {
  readonly #runtime: WatchedRuntime;
  readonly #channels: Channels = channels();
  readonly #holds = new HoldProbe();
  readonly #startedAt: number;
  readonly #opening = new Map<string, { opening: Opening; since: number }>();
  readonly #ended: Ended[] = [];
  /** Place of the next ended stream, once as many are remembered as may be. */
  #next = 0;
  /** Looks at open streams, by the streams. */
  readonly #looks = new WeakMap<object, Look>();

  constructor(runtime: WatchedRuntime) {
    this.#runtime = runtime;
    this.#startedAt = runtime.clock.now();
  }

  /** Notes a stream that waits for its receivers. */
  waitsForReceivers(opening: Opening): void {
    this.#opening.set(opening.description.info.streamId, { opening, since: this.#runtime.clock.now() });
  }

  /** Notes that a stream waits no longer for its receivers. */
  waitedForReceivers(streamId: string): void {
    if (this.#opening.size > 0) this.#opening.delete(streamId);
  }

  openedOutgoing(stream: OutgoingStream): void {
    if (this.#channels.streamOpen.hasSubscribers) this.#channels.streamOpen.publish(this.#message(this.#outgoing(stream)));
  }

  openedIncoming(stream: IncomingStream): void {
    if (this.#channels.streamOpen.hasSubscribers) this.#channels.streamOpen.publish(this.#message(this.#incoming(stream)));
  }

  endedOutgoing(stream: OutgoingStream): void {
    this.#noteEnd(this.#outgoing(stream), stream);
  }

  endedIncoming(stream: IncomingStream): void {
    this.#noteEnd(this.#incoming(stream), stream);
  }

  /** Notes that flow control makes a stream wait. */
  blocked(stream: OutgoingStream, waitsFor: FlowWait, identity: string | undefined): void {
    if (!this.#channels.flowWait.hasSubscribers) return;
    const { names, ...message } = this.#message(this.#outgoing(stream));
    this.#channels.flowWait.publish({
      ...message,
      waitsFor,
      ...(names === undefined ? {} : { names: identity === undefined ? names : { ...names, identities: [identity] } }),
    });
  }

  joined(identity: string): void {
    this.#tellOfPeer(this.#channels.peerJoin, identity);
  }

  left(identity: string): void {
    this.#tellOfPeer(this.#channels.peerLeave, identity);
  }

  /** Opens a stream, as a trace if somebody subscribes. `open` must call this at once, so that it runs in the caller's context. */
  send(opening: Opening, open: (opening: Opening) => Promise<OutgoingStream>): Promise<OutgoingStream> {
    const { send } = this.#channels;
    if (!send.hasSubscribers) return open(opening);
    const trace: Record<string, string> = {};
    const now = this.#runtime.clock.now();
    const message = { ...this.#message(openingStats(opening, now, now)), trace, bytes: 0 };
    return send.trace(message, () => open({ ...opening, trace }), async (opened) => {
      try {
        const stream = await opened;
        await stream.settled.finally(() => message.bytes = stream.offset);
        return undefined;
      } catch (error) {
        return error;
      }
    });
  }

  /** Calls the handler of a stream, as a trace if somebody subscribes. */
  receive(stream: IncomingStream, handle: () => void | Promise<void>): void | Promise<void> {
    const { receive } = this.#channels;
    if (!receive.hasSubscribers) return handle();
    const message = { ...this.#message(this.#incoming(stream)), trace: { ...stream.extension?.trace }, bytes: 0 };
    const run = async (): Promise<void> => await handle();
    return receive.trace(message, run, async (handled) => {
      const [end, closed] = await Promise.allSettled([handled, stream.closed]);
      message.bytes = stream.content.consumed;
      return end.status === "rejected" ? end.reason : closed.status === "rejected" ? closed.reason : undefined;
    });
  }

  /** State of the runtime now. */
  snapshot({ state, peers, outgoing, incoming }: Present): RuntimeStats {
    const { identity, clock, codec } = this.#runtime;
    const now = clock.now();
    const { workers = 0, jobs = 0, inline = 0 } = (codec as Partial<CodecPool>).stats?.() ?? {};
    const longestHold = state === "closed" ? this.#holds.longest : this.#holds.look();
    return {
      identity,
      state,
      age: now - this.#startedAt,
      peers: [...peers].map((peer) => peerStats(peer, now)),
      open: [
        ...[...this.#opening.values()].map(({ opening, since }) => ({ ...openingStats(opening, since, now), rate: 0 })),
        ...outgoing.map((stream) => this.#rated(stream, outgoingStats(stream, now), now)),
        ...incoming.map((stream) => this.#rated(stream, incomingStats(stream, now), now)),
      ],
      ended: [...this.#ended.slice(this.#next), ...this.#ended.slice(0, this.#next)].map((one) => endedStats(one, now)),
      workers,
      jobs,
      inline,
      longestHold,
    };
  }

  /** Ends all measuring, as the runtime has closed. */
  close(): void {
    this.#holds.stop();
    this.#opening.clear();
  }

  #outgoing(stream: OutgoingStream): Unrated {
    return outgoingStats(stream, this.#runtime.clock.now());
  }

  #incoming(stream: IncomingStream): Unrated {
    return incomingStats(stream, this.#runtime.clock.now());
  }

  #noteEnd(stats: Unrated, { startedAt, error }: OutgoingStream | IncomingStream): void {
    const { code, reason } = error ?? {};
    this.#ended[this.#next] = { stats, at: startedAt + stats.age, code, reason };
    this.#next = (this.#next + 1) % REMEMBERED;
    if (!this.#channels.streamClose.hasSubscribers) return;
    const { bytes, age: duration } = stats;
    const message = this.#message(stats, reason);
    this.#channels.streamClose.publish({ ...message, bytes, duration, ...(code === undefined ? {} : { code }) });
  }

  #tellOfPeer(channel: Channel<PeerMessage>, peer: string): void {
    if (!channel.hasSubscribers) return;
    const { id: runtime, identity, names } = this.#runtime;
    channel.publish(names ? { runtime, names: { identity, peer } } : { runtime });
  }

  #message({ streamId, direction, kind, size, topic, identities }: Unrated, reason?: string): StreamMessage {
    const { id: runtime, identity, names } = this.#runtime;
    return {
      runtime,
      streamId,
      direction,
      kind,
      ...(size === undefined ? {} : { size }),
      ...(names ? { names: { identity, topic, identities, ...(reason === undefined ? {} : { reason }) } } : {}),
    };
  }

  #rated(stream: object, stats: Unrated, now: number): StreamStats {
    const { bytes, age } = stats;
    const before = this.#looks.get(stream) ?? { at: now - age, bytes: 0, rate: 0 };
    const elapsed = now - before.at;
    const isFirst = !this.#looks.has(stream);
    if (!isFirst && elapsed < RATE_MS) return { ...stats, rate: before.rate };
    const rate = rateOf(bytes - before.bytes, elapsed);
    this.#looks.set(stream, { at: now, bytes, rate });
    return { ...stats, rate };
  }
}

function endedStats({ stats, at, code, reason }: Ended, now: number): EndedStreamStats {
  return {
    ...stats,
    state: code === undefined ? "closed" : "failed",
    rate: rateOf(stats.bytes, stats.age),
    endedAgo: now - at,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Bytes per second; 0 if no time has passed. */
function rateOf(bytes: number, ms: number): number {
  return ms > 0 ? Math.max(0, bytes) / ms * 1_000 : 0;
}
