// A runtime, and a hostile participant who sends it any packets.
import type { ByteStreamReader } from "../../mod.ts";
import { type HubFixture, inVirtualTime, type Member } from "./hub_fixture.ts";
import type { RawParticipant } from "./raw_participant.ts";

export interface Attack {
  room: HubFixture;
  bob: Member;
  /** Says that it is a Millrace runtime. */
  hostilePeer: RawParticipant;
  /** Bob's, of topic "t". */
  readers: ByteStreamReader[];
}

/** Runs a test when Bob has a handler and the hostile peer has said hello. */
export async function withHostilePeer(body: (attack: Attack) => Promise<void>): Promise<void> {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    const hostilePeer = room.raw("eve");
    const readers: ByteStreamReader[] = [];
    bob.runtime.registerByteStreamHandler("t", (reader) => void readers.push(reader));
    hostilePeer.hello("bob");
    await room.time.advance(1);
    await body({ room, bob, hostilePeer, readers });
  });
}
