// Room of the demonstration; the only file that loads LiveKit's packages.
import process from "node:process";
import { dispose, Room } from "@livekit/rtc-node";
import { AccessToken } from "livekit-server-sdk";
import type { Transport } from "../../mod.ts";
import { livekit } from "../../transports/livekit/mod.ts"; // in a program of yours: from "millrace/livekit"
import type { Task } from "./demonstration.ts";

/** Time to leave the room, in ms; a server that has stopped never answers. */
const LEAVE_TIMEOUT_MS = 3_000;

/** Participants of the demonstration in a room. */
export interface Meeting {
  readonly transports: Task["transports"];
  /** Disconnects all participants and disposes of the SDK. */
  leave(): Promise<void>;
}

/** Connects three participants to a new room of the server that the environment names. Rejects with an error or the signal's reason. */
export async function meetInRoom(signal: AbortSignal): Promise<Meeting> {
  const { url, key, secret } = serverFromEnvironment();
  const name = `millrace-demo-${crypto.randomUUID()}`;
  const rooms: Room[] = [];
  const join = async (identity: string): Promise<Transport> => {
    const token = new AccessToken(key, secret, { identity });
    token.addGrant({ roomJoin: true, room: name, canPublishData: true });
    const room = new Room();
    rooms.push(room);
    await untilAborted(signal, room.connect(url, await token.toJwt(), { autoSubscribe: false, dynacast: false }));
    return livekit(room);
  };
  const leave = async (): Promise<void> => {
    await Promise.race([Promise.all(rooms.map((room) => room.disconnect())), leaveTimeout()]);
    await dispose(); // without this the process would not end
  };
  try {
    const [bob, carol] = await Promise.all([join("bob"), join("carol")]);
    // Alice joins last, so that she knows the others at once: participants learn of a newcomer up to 3 s later.
    const alice = await join("alice");
    console.log(`In a room of the LiveKit server at ${url}`);
    return { transports: { alice, bob, carol }, leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

function serverFromEnvironment(): { url: string; key: string; secret: string } {
  const [url, key, secret] = ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"].map((name) => {
    const value = process.env[name] ?? "";
    if (value === "") throw new Error(`Cannot connect as the server must be given: ${name} is not set`);
    return value;
  }) as [string, string, string];
  return { url, key, secret };
}

/** Waits for work unless the signal is aborted. The SDK cannot stop connecting, so a late connection is abandoned. */
async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function leaveTimeout(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, LEAVE_TIMEOUT_MS).unref());
}
