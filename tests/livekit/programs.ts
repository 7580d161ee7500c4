// The programs that these tests need and this project does not bring. Where they are, how they are started, and how they are ended is
// known to tools/lib; it is loaded from the project's folder, as this file may run from within dist/.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../project_root.ts";

export { projectRoot };

/** A foreign program that has been started. It ends with this process at the latest, whatever ends that. */
export interface Started {
  readonly pid: number;
  /** Resolves when it has ended, by whatever. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  isRunning(): boolean;
  /** The last of what it has printed. */
  output(): string;
  /** By SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
}

export interface LivekitConfig {
  readonly text: string;
  readonly key: string;
  readonly secret: string;
  readonly url: string;
}

interface Programs {
  needed(name: "livekit" | "redis" | "chromium" | "python"): string;
}

interface LivekitServer {
  livekitConfig(options: { port: number; udpPort: number; redis?: string | undefined }): LivekitConfig;
  startLivekitServer(path: string, config: LivekitConfig, port: number): Promise<Started>;
}

interface RedisServer {
  startRedisServer(path: string, port: number): Promise<Started>;
}

interface Ports {
  freePort(): Promise<number>;
}

interface Guarded {
  startGuarded(command: readonly string[], options?: { env?: Record<string, string> }): Started;
}

/** `needed(name)` is the path of a program. It throws, saying how to get it, where there is none. */
export const { needed }: Programs = await tool<Programs>("programs");
export const { livekitConfig, startLivekitServer }: LivekitServer = await tool<LivekitServer>("livekit_server");
export const { startRedisServer }: RedisServer = await tool<RedisServer>("redis_server");
export const { freePort }: Ports = await tool<Ports>("ports");
/** Starts a program that ends with this process at the latest: a Python script, say. `env` is all of its environment. */
export const { startGuarded }: Guarded = await tool<Guarded>("guarded");

async function tool<T>(name: string): Promise<T> {
  return await import(pathToFileURL(join(projectRoot(), "tools", "lib", `${name}.js`)).href) as T;
}
