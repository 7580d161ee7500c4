import type { StreamWait } from "../common/stream_wait.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { Opening } from "../outgoing/plan.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import type { StreamStats } from "./stats.ts";

/** Stats of a stream, without the rate: that needs an earlier look. */
export type Unrated = Omit<StreamStats, "rate">;

/** Stats of an outgoing stream. */
export function outgoingStats(stream: OutgoingStream, now: number): Unrated {
  const { streamId, offset, queue, spec: { destinations, description: { kind, info } } } = stream;
  return {
    streamId,
    direction: "out",
    kind,
    topic: info.topic,
    identities: destinations.isTargeted ? destinations.all.map(({ identity }) => identity) : [],
    state: stream.ended ? stateAtEnd(stream.error) : stream.actor.value as StreamStats["state"],
    bytes: offset,
    ...(info.size === undefined ? {} : { size: info.size }),
    pending: stream.ended ? 0 : queue.bytes,
    age: now - stream.startedAt,
    ...(stream.ended ? {} : { waitsFor: stream.waitsFor }),
  };
}

/** Stats of an incoming stream. */
export function incomingStats(stream: IncomingStream, now: number): Unrated {
  const { streamId, topic, from, content: { received, consumed, held }, description: { kind, info } } = stream;
  return {
    streamId,
    direction: "in",
    kind,
    topic,
    identities: [from],
    state: stream.ended ? stateAtEnd(stream.error) : stream.actor.value as StreamStats["state"],
    bytes: Math.max(received, consumed),
    ...(info.size === undefined ? {} : { size: info.size }),
    pending: stream.ended ? 0 : held,
    age: now - stream.startedAt,
    ...(stream.ended ? {} : { waitsFor: waitOf(stream) }),
  };
}

/** Stats of a stream that waits for its receivers. */
export function openingStats({ description: { kind, info }, options }: Opening, since: number, now: number): Unrated {
  return {
    streamId: info.streamId,
    direction: "out",
    kind,
    topic: info.topic,
    identities: [...options.destinationIdentities ?? []],
    state: "opening",
    bytes: 0,
    ...(info.size === undefined ? {} : { size: info.size }),
    pending: 0,
    age: now - since,
    waitsFor: "receivers",
  };
}

/** State of an ended stream: the actor's own is set only after its final actions. */
function stateAtEnd(error: unknown): "closed" | "failed" {
  return error === undefined ? "closed" : "failed";
}

function waitOf({ isClaimed, complete, content }: IncomingStream): StreamWait {
  if (!isClaimed) return "handler";
  if (content.isReadable || complete) return "reader";
  return content.hasGap ? "chunk" : "sender";
}
