// The only file that loads LiveKit's packages, and only when a room is to be joined: help and mistakes need no native library.
import process from "node:process";
import type { Credentials } from "./credentials.ts";
import { Failure } from "../failure.ts";
import type { Connection } from "../environment.ts";

/** Milliseconds for a server to answer: beyond it somebody at a terminal thinks that nothing happens. */
const CONNECT_TIMEOUT = 20_000;

/** Joins the room. Rejects with a Failure "connection", or with the signal's reason. */
export async function joinRoom(credentials: Credentials, signal: AbortSignal): Promise<Connection> {
  process.env["NODE_ENV"] ??= "production"; // else rtc-node logs to stdout
  const token = await tokenOf(credentials);
  const [{ dispose, Room }, { livekit }] = await Promise.all([import("@livekit/rtc-node"), import("millrace/livekit")]);
  const room = new Room();
  const leave = async (): Promise<void> => {
    try {
      await room.disconnect();
    } finally {
      await dispose();
    }
  };
  try {
    const connected = room.connect(credentials.url, token, {
      autoSubscribe: false,
      dynacast: false,
    });
    await bounded(connected, signal, credentials.url);
    return { transport: livekit(room), leave };
  } catch (error) {
    await leave().catch(() => undefined); // why it could not connect is what is to be told
    throw signal.aborted || error instanceof Failure ? error : refusal(error, credentials);
  }
}

async function tokenOf({ access, room, identity }: Credentials): Promise<string> {
  if ("token" in access) return access.token;
  const { AccessToken } = await import("livekit-server-sdk");
  const token = new AccessToken(access.key, access.secret, { identity });
  token.addGrant({
    roomJoin: true,
    room,
    canPublish: false,
    canPublishData: true,
    canSubscribe: true,
  });
  return await token.toJwt();
}

/** Connecting cannot be stopped: who gives up leaves it behind. */
async function bounded(connected: Promise<void>, signal: AbortSignal, url: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  try {
    await Promise.race([
      connected,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(unreachable(`it did not answer in ${CONNECT_TIMEOUT / 1000} s`, url)), CONNECT_TIMEOUT);
      }),
      new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", abort, { once: true });
        if (signal.aborted) abort();
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}

function refusal(error: unknown, { url }: Credentials): Failure {
  const text = error instanceof Error ? error.message : String(error);
  if (!/\b401\b|[Uu]nauthorized/.test(text)) {
    return unreachable(text.replace(/^(engine|signal failure): /g, ""), url, error);
  }
  return new Failure(
    "connection",
    `Cannot connect as the server refuses the token: server is "${url}"`,
    {
      cause: error,
      hint: "Do key and secret belong to this server? A token of your own may have expired",
    },
  );
}

function unreachable(why: string, url: string, cause?: unknown): Failure {
  return new Failure(
    "connection",
    `Cannot connect to the server: ${why}: server is "${url}"`,
    {
      cause,
      hint: "Does the server run, and is --url (or LIVEKIT_URL) its address?",
    },
  );
}
