// LiveKit servers and a Redis for one process, on free ports of 127.0.0.1. They end with the process at the latest.
import { AccessToken, type VideoGrant } from "livekit-server-sdk";
import { freePort, livekitConfig, needed, type Started, startLivekitServer, startRedisServer } from "./programs.ts";

/** Attempts to start: another test may take a port between our look at it and the server's. */
const ATTEMPTS = 3;

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly secret: string;
  readonly pid: number;
  /** Port of media. */
  readonly udpPort: number;
  /** Token for `room`, with all permissions that `grants` do not take away. */
  token(identity: string, room: string, grants?: VideoGrant): Promise<string>;
  /** Sends SIGKILL. Resolves when the server is gone. Only our choice of ports reserves them for `restart`. */
  kill(): Promise<void>;
  /** Kills the server if it runs. Resolves when one without its rooms answers on the same ports. */
  restart(): Promise<void>;
}

export interface ServerOptions {
  /** Address of a Redis that this server shares with others, and rooms by it. */
  readonly redis?: string;
  /** Clients send their media to 127.0.0.2: a relay must forward it to this server's `udpPort` of 127.0.0.1. */
  readonly relayed?: boolean;
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const path = needed("livekit");
  const { port, udpPort, config, started } = await onFreePorts(async () => {
    const port = await freePort();
    const udpPort = await freePort();
    const config = livekitConfig({ port, udpPort, redis: options.redis, relayed: options.relayed });
    return { port, udpPort, config, started: await startLivekitServer(path, config, port) };
  });
  const { url, key, secret } = config;
  let server = started;
  return {
    url,
    key,
    secret,
    udpPort,
    get pid() {
      return server.pid;
    },
    token: async (identity, room, grants = {}) => await tokenFor({ key, secret }, identity, room, grants),
    kill: async () => await server.kill(),
    restart: async () => {
      await server.kill();
      server = await startLivekitServer(path, config, port);
    },
    [Symbol.asyncDispose]: async () => await server.kill(),
  };
}

/** Token that lets a participant into a room. */
export async function tokenFor(
  { key, secret }: { key: string; secret: string },
  identity: string,
  room: string,
  grants: VideoGrant = {},
): Promise<string> {
  const token = new AccessToken(key, secret, { identity });
  token.addGrant({ roomJoin: true, room, canPublish: true, canPublishData: true, canSubscribe: true, ...grants });
  return await token.toJwt();
}

export interface TestRedis extends AsyncDisposable {
  /** Host and port, as "127.0.0.1:12345". */
  readonly address: string;
  readonly pid: number;
}

/** Starts a Redis without persistence. */
export async function startRedis(): Promise<TestRedis> {
  const path = needed("redis");
  const { port, started } = await onFreePorts(async () => {
    const port = await freePort();
    return { port, started: await startRedisServer(path, port) };
  });
  return { address: `127.0.0.1:${port}`, pid: started.pid, [Symbol.asyncDispose]: async () => await started.kill() };
}

async function onFreePorts<T extends { started: Started }>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/i.test(String(error))) throw error;
    }
  }
}
