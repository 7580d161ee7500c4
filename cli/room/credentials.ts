// Server, room and identity, from options and the environment, under the names of LiveKit's own tools.
import { Failure } from "../failure.ts";

/** Default server, as in LiveKit's own tools. */
export const DEFAULT_URL = "ws://localhost:7880";

/** Connection options of every command. */
export interface ConnectionOptions {
  url?: string;
  token?: string;
  apiKey?: string;
  apiSecret?: string;
  room?: string;
  identity?: string;
}

/** Server, room, identity, and a token, or the key and secret for one. */
export interface Credentials {
  readonly url: string;
  readonly room: string;
  readonly identity: string;
  readonly access: { readonly token: string } | {
    readonly key: string;
    readonly secret: string;
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the credentials. Options override the environment; from one source, a token overrides key and secret. */
export function readCredentials(options: ConnectionOptions, env: Environment): Credentials {
  const url = webSocketUrl(options.url ?? variable(env, "LIVEKIT_URL") ?? DEFAULT_URL);
  const hasKey = options.apiKey !== undefined && options.apiSecret !== undefined;
  const token = options.token ?? (hasKey ? undefined : variable(env, "LIVEKIT_TOKEN"));
  if (token !== undefined) {
    return { url, ...readToken(token, options), access: { token } };
  }

  const key = options.apiKey ?? variable(env, "LIVEKIT_API_KEY");
  const secret = options.apiSecret ?? variable(env, "LIVEKIT_API_SECRET");
  if (key === undefined || secret === undefined) {
    throw missing(
      "a token, or a key and a secret, must be given",
      "Give --token, or --api-key and --api-secret, or set LIVEKIT_TOKEN, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    );
  }
  const { room, identity } = options;
  if (room === undefined || room === "") {
    throw missing("a room must be given", "Give --room");
  }
  if (identity === undefined || identity === "") {
    throw missing("an identity must be given", "Give --identity: who you are in the room");
  }
  return { url, room, identity, access: { key, secret } };
}

/** Reads a variable; an empty value counts as not set. */
function variable(env: Environment, name: string): string | undefined {
  return env[name] === "" ? undefined : env[name];
}

function missing(requirement: string, hint: string): Failure {
  return new Failure("usage", `Cannot connect as ${requirement}`, { hint });
}

function webSocketUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new Failure(
      "usage",
      `Cannot connect as the server's address must be a URL: it is "${text}"`,
      { cause, hint: "ws://HOST:PORT or wss://HOST" },
    );
  }
  const protocol = ({
    "http:": "ws:",
    "https:": "wss:",
    "ws:": "ws:",
    "wss:": "wss:",
  } as Record<string, string>)[url.protocol];
  if (protocol === undefined) {
    throw new Failure(
      "usage",
      `Cannot connect as the server's address must be that of a web socket: it is "${text}"`,
      { hint: "ws://HOST:PORT or wss://HOST" },
    );
  }
  return text.replace(/^[a-z]+:/i, protocol);
}

/** Reads room and identity from a token. Other ones in the options are a mistake that would go unnoticed. */
function readToken(token: string, { room, identity }: ConnectionOptions): { room: string; identity: string } {
  const claims = claimsOf(token);
  const wrong = [["room", room, claims.room], [
    "identity",
    identity,
    claims.identity,
  ]].find(([, wanted, actual]) => wanted !== undefined && actual !== "" && wanted !== actual);
  if (wrong === undefined) return claims;
  throw new Failure(
    "usage",
    `Cannot connect as the token must be for the ${wrong[0]} "${wrong[1]}": it is for "${wrong[2]}"`,
  );
}

function claimsOf(token: string): { room: string; identity: string } {
  try {
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      sub?: unknown;
      video?: { room?: unknown };
    };
    return {
      room: String(payload.video?.room ?? ""),
      identity: String(payload.sub ?? ""),
    };
  } catch (cause) {
    throw new Failure("usage", "Cannot connect as the token must be a LiveKit token: its claims cannot be read", { cause });
  }
}
