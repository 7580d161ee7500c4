// Loads LiveKit's packages, as the only file, and only to join a room: help and usage errors need no native library.
import process from "node:process";
import type { Credentials } from "./credentials.ts";
import { Failure } from "../failure.ts";
import type { Connection } from "../environment.ts";

/** Time for a server to answer, in ms; a longer wait looks like a hang. */
const CONNECT_TIMEOUT_MS = 20_000;

/** Joins the room. Rejects with a Failure "connection", or with the signal's reason. */
export async function joinRoom(credentials: Credentials, signal: AbortSignal): Promise<Connection> {
  process.env["NODE_ENV"] ??= "production"; // otherwise rtc-node logs to stdout
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
    await withTimeout(connected, signal, credentials.url);
    return { transport: livekit(room), leave };
  } catch (error) {
    await leave().catch(() => undefined); // the first error is reported
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

/** Waits for a connection with a time limit. The SDK cannot stop connecting, so a late connection is abandoned. */
async function withTimeout(connected: Promise<void>, signal: AbortSignal, url: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  try {
    await Promise.race([
      connected,
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(unreachable(`it must answer within ${CONNECT_TIMEOUT_MS / 1000} s`, url)),
          CONNECT_TIMEOUT_MS,
        );
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
      hint: "Do key and secret belong to this server? A given token may have expired",
    },
  );
}

function unreachable(reason: string, url: string, cause?: unknown): Failure {
  return new Failure(
    "connection",
    `Cannot connect to the server: ${reason}: server is "${url}"`,
    {
      cause,
      hint: "Does the server run, and is --url (or LIVEKIT_URL) its address?",
    },
  );
}
