// A runtime, and a stranger who sends it what he likes.
import type { ByteStreamReader } from "../../mod.ts";
import { inRoom, type Member, type Raw, type Room } from "./room.ts";

export interface Scene {
  room: Room;
  bob: Member;
  /** A stranger who says that he is a Millrace runtime. */
  eve: Raw;
  readers: ByteStreamReader[];
}

/** Bob gathers the readers of topic "t", and eve has said hello. */
export async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  await inRoom(async (room) => {
    const bob = await room.join("bob");
    const eve = room.raw("eve");
    const readers: ByteStreamReader[] = [];
    bob.runtime.registerByteStreamHandler("t", (reader) => void readers.push(reader));
    eve.hello("bob");
    await room.time.advance(1);
    await body({ room, bob, eve, readers });
  });
}

export function last(readers: readonly ByteStreamReader[]): ByteStreamReader {
  const reader = readers.at(-1);
  if (reader === undefined) throw new Error("No stream was offered");
  return reader;
}
