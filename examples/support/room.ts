// The only file of the demonstration that loads LiveKit's packages.
import process from "node:process";
import { dispose, Room } from "@livekit/rtc-node";
import { AccessToken } from "livekit-server-sdk";
import type { Transport } from "../../mod.ts";
import { livekit } from "../../transports/livekit/mod.ts"; // in a program of yours: from "millrace/livekit"
import type { Task } from "./demonstration.ts";

/** Milliseconds for the server to hear that somebody leaves: one that is gone hears nothing. */
const GOODBYE_MS = 3_000;

export interface Meeting {
  readonly transports: Task["transports"];
  /** All leave the room, and the SDK ends in this process. */
  leave(): Promise<void>;
}

/** Connects three participants to a new room of the server that the environment names. Rejects with the signal's reason, or why it failed. */
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
    await Promise.race([Promise.all(rooms.map((room) => room.disconnect())), patience()]);
    await dispose(); // without it the process would not end
  };
  try {
    const [bob, carol] = await Promise.all([join("bob"), join("carol")]);
    // Last, so that she finds the others there: those who are there hear only after a while, up to 3 s, of one who comes.
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
    if (value === "") throw new Error(`Cannot connect as the server is not known: ${name} is not set`);
    return value;
  }) as [string, string, string];
  return { url, key, secret };
}

/** Connecting cannot be stopped: who gives up leaves it behind. */
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

function patience(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, GOODBYE_MS).unref());
}
