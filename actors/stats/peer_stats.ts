import type { Peer } from "../peers/peer.ts";
import type { PeerStats } from "./stats.ts";

/** Stats of a participant. */
export function peerStats({ identity, session, incoming, heardAt }: Peer, now: number): PeerStats {
  const { kind, outgoing, measured } = session;
  let pending = 0;
  for (const { queue } of outgoing.values()) pending += queue.bytes;
  let unread = 0;
  for (const { content } of incoming.values()) unread += content.held;
  return {
    identity,
    kind,
    sending: outgoing.size,
    receiving: incoming.size,
    pending,
    unread,
    ...(measured === undefined || measured.leastRoundTrip === Infinity ? {} : {
      roundTrip: measured.leastRoundTrip,
      window: Math.floor(measured.window),
      inFlight: measured.inFlight,
      rate: measured.rate * 1_000,
    }),
    ...(heardAt === 0 ? {} : { heard: now - heardAt }),
  };
}
