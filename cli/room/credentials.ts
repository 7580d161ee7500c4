// Which server, which room, as whom: from options and the environment, by the names that LiveKit's own tools have.
import { Failure } from "../failure.ts";

/** The server of LiveKit's own tools where none is named. */
export const DEFAULT_URL = "ws://localhost:7880";

/** Options of every command. */
export interface ConnectionOptions {
  url?: string;
  token?: string;
  apiKey?: string;
  apiSecret?: string;
  room?: string;
  identity?: string;
}

/** Access to a server: a token, or the key and secret that one is made of. */
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

/** Options come before the environment; of the same origin, a token before key and secret. */
export function readCredentials(options: ConnectionOptions, env: Environment): Credentials {
  const url = webSocketUrl(options.url ?? given(env, "LIVEKIT_URL") ?? DEFAULT_URL);
  const keyed = options.apiKey !== undefined && options.apiSecret !== undefined;
  const token = options.token ?? (keyed ? undefined : given(env, "LIVEKIT_TOKEN"));
  if (token !== undefined) {
    return { url, ...readToken(token, options), access: { token } };
  }

  const key = options.apiKey ?? given(env, "LIVEKIT_API_KEY");
  const secret = options.apiSecret ?? given(env, "LIVEKIT_API_SECRET");
  if (key === undefined || secret === undefined) {
    throw missing(
      "there is neither a token nor a key and a secret",
      "Give --token, or --api-key and --api-secret, or set LIVEKIT_TOKEN, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    );
  }
  const { room, identity } = options;
  if (room === undefined || room === "") {
    throw missing("no room is named", "Give --room");
  }
  if (identity === undefined || identity === "") {
    throw missing("no identity is given", "Give --identity: who you are in the room");
  }
  return { url, room, identity, access: { key, secret } };
}

/** Treats an empty value as not set. */
function given(env: Environment, name: string): string | undefined {
  return env[name] === "" ? undefined : env[name];
}

function missing(what: string, hint: string): Failure {
  return new Failure("usage", `Cannot connect as ${what}`, { hint });
}

function webSocketUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new Failure(
      "usage",
      `Cannot connect as the server's address is no URL: it is "${text}"`,
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
      `Cannot connect as the server's address is no web socket's: it is "${text}"`,
      { hint: "ws://HOST:PORT or wss://HOST" },
    );
  }
  return text.replace(/^[a-z]+:/i, protocol);
}

/** Room and identity are the token's; naming others besides is a mistake that would otherwise show nowhere. */
function readToken(token: string, { room, identity }: ConnectionOptions): { room: string; identity: string } {
  const claims = claimsOf(token);
  const wrong = [["room", room, claims.room], [
    "identity",
    identity,
    claims.identity,
  ]].find(([, asked, has]) => asked !== undefined && has !== "" && asked !== has);
  if (wrong === undefined) return claims;
  throw new Failure(
    "usage",
    `Cannot connect as the token is for another ${wrong[0]}: it is for "${wrong[2]}", not "${wrong[1]}"`,
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
    throw new Failure("usage", "Cannot connect as the token is no LiveKit token: it holds no claims", { cause });
  }
}
