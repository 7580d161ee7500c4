// Foreign programs that tests and benchmarks need. tools/lib knows where they are, and how to start and end them.
// It is loaded by its path, as this file may run from within dist/.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "./project_root.ts";

export { projectRoot };

/** A running foreign program. It ends with this process at the latest, however that ends. */
export interface Started {
  readonly pid: number;
  /** Resolves when the program has ended, for any reason. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  isRunning(): boolean;
  /** Last part of the program's output. */
  output(): string;
  /** Sends SIGKILL. Resolves when the program is gone. */
  kill(): Promise<void>;
}

export interface LivekitConfig {
  readonly text: string;
  readonly key: string;
  readonly secret: string;
  readonly url: string;
}

/** Effect of a relay on packets, each way: milliseconds, megabytes a second (0: no limit), milliseconds at that rate, a probability. */
export interface Line {
  readonly delay: number;
  readonly rate: number;
  readonly queue: number;
  readonly loss: number;
}

export interface Relay {
  close(): Promise<void>;
}

interface Tools {
  readonly needed: (name: "livekit" | "redis" | "chromium" | "firefox" | "puppeteer-core" | "python") => string;
  readonly livekitConfig: (
    options: { port: number; udpPort: number; redis?: string | undefined; relayed?: boolean | undefined },
  ) => LivekitConfig;
  readonly startLivekitServer: (path: string, config: LivekitConfig, port: number) => Promise<Started>;
  readonly startRedisServer: (path: string, port: number) => Promise<Started>;
  readonly startFirefox: (path: string, profile: string) => Promise<Started & { readonly url: string }>;
  readonly startRelay: (options: { from: string; to: string; seed?: number } & Line) => Promise<Relay>;
  readonly freePort: () => Promise<number>;
  readonly buildAgentExamples: () => Promise<string>;
}

const tools = await import(pathToFileURL(join(projectRoot(), "tools", "lib", "for_tests.js")).href) as Tools;

/** Path of a program. Throws, with instructions, if there is none. */
export const needed: Tools["needed"] = tools.needed;
export const livekitConfig: Tools["livekitConfig"] = tools.livekitConfig;
export const startLivekitServer: Tools["startLivekitServer"] = tools.startLivekitServer;
export const startRedisServer: Tools["startRedisServer"] = tools.startRedisServer;
export const startFirefox: Tools["startFirefox"] = tools.startFirefox;
export const startRelay: Tools["startRelay"] = tools.startRelay;
export const freePort: Tools["freePort"] = tools.freePort;
export const buildAgentExamples: Tools["buildAgentExamples"] = tools.buildAgentExamples;
