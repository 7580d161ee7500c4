// Rooms of @livekit/rtc-node for a test, and their end. Test files import the SDK from here, or after this module, which switches its logs
// off.
import "../../../bench/support/quiet.ts";
import { dispose, Room } from "@livekit/rtc-node";
import type { VideoGrant } from "livekit-server-sdk";

export * from "@livekit/rtc-node";

/** Longest wait for a Room to disconnect, in seconds: a dead server never answers. */
const GOODBYE_SECONDS = 5;

const open = new Set<Room>();

/** Connects a participant. The room is left by `closeRooms` at the latest. */
export async function connect(
  server: { url: string; token(identity: string, room: string, grants?: VideoGrant): Promise<string> },
  identity: string,
  roomName: string,
  grants?: VideoGrant,
): Promise<Room> {
  const room = new Room();
  await room.connect(server.url, await server.token(identity, roomName, grants), { autoSubscribe: true, dynacast: false });
  open.add(room);
  return room;
}

/** Leaves all rooms of `connect` so far, in any state: for a test's `finally`. */
export async function closeRooms(): Promise<void> {
  const rooms = [...open];
  open.clear();
  await Promise.all(rooms.map(async (room) => await limited(room.disconnect())));
}

/** Runs a test's body and leaves the rooms that it has opened, in any case. */
export async function inRooms(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } finally {
    await closeRooms();
  }
}

/** Ends the SDK in this process, which would not end otherwise: once, when the last test is done. */
export async function disposeAll(): Promise<void> {
  await closeRooms();
  await dispose();
}

async function limited(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GOODBYE_SECONDS * 1000);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
