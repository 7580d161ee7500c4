// A runtime, and a hostile participant who sends it any packets.
import type { ByteStreamReader } from "../../../mod.ts";
import { collectReaders } from "../handlers.ts";
import { type HubFixture, inVirtualTime, type Member } from "./hub_fixture.ts";
import type { RawParticipant } from "./raw_participant.ts";

export interface Attack {
  room: HubFixture;
  bob: Member;
  /** Participant who says that it is a Millrace runtime. */
  hostilePeer: RawParticipant;
  /** Bob's readers of topic "t". */
  readers: ByteStreamReader[];
}

/** Runs a test when Bob has a handler and the hostile peer has said hello. */
export async function withHostilePeer(body: (attack: Attack) => Promise<void>): Promise<void> {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    const hostilePeer = room.raw("eve");
    const readers = collectReaders(bob.runtime);
    hostilePeer.hello("bob");
    await room.time.advance(1);
    await body({ room, bob, hostilePeer, readers });
  });
}

/** Runs a test when a hostile peer has said hello to Alice, who sends. */
export async function sendingToHostilePeer(
  body: (room: HubFixture, alice: Member, hostilePeer: RawParticipant) => Promise<void>,
  hello: Parameters<RawParticipant["hello"]>[1] = {},
): Promise<void> {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const hostilePeer = room.raw("eve");
    hostilePeer.hello("alice", hello);
    await room.time.advance(1);
    await body(room, alice, hostilePeer);
  });
}
