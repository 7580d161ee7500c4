// Programs that test files need. Files below tests/livekit need a LiveKit server; a line of any file can name more:
//   // needs: redis, chromium
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildLivekitServer } from "../servers/livekit_server.js";
import { agentPackages, livekitAgents, livekitClient216, puppeteerCore, rtcNode013 } from "./packages.js";
import { find, PROGRAMS } from "./programs.js";
import { root } from "../runtime.js";

/** Reads the names of the programs that a test file needs. Throws for an unknown name. */
export function needsOf(file) {
  const line = /^\/\/ needs: (.+)$/m.exec(readFileSync(join(root, file), "utf8"));
  const named = line === null ? [] : line[1].split(",").map((name) => name.trim());
  const unknown = named.find((name) => !(name in PROGRAMS));
  if (unknown !== undefined) {
    throw new Error(`Cannot read the needs of "${file}": expected ${Object.keys(PROGRAMS).join(", ")}, got "${unknown}"`);
  }
  return [...new Set(file.startsWith("tests/livekit/") ? ["livekit", ...named] : named)];
}

/** Installers that need only a package registry, and one of them Go, by a program's name. */
export const INSTALLERS = {
  livekit: buildLivekitServer,
  "rtc-node-0.13": rtcNode013.install,
  "livekit-client-2.16": livekitClient216.install,
  "puppeteer-core": puppeteerCore.install,
  "livekit-agents": livekitAgents.install,
  "agent-packages": agentPackages.install,
};

/** Finds programs, and installs a missing one if possible. `env` has the paths for tests; `missing` has the errors of the others, by name. */
export async function provide(names, log) {
  const env = names.length > 0 ? { NODE_ENV: "production" } : {}; // otherwise LiveKit's SDK logs
  const missing = new Map();
  for (const name of names) {
    const { title, variable } = PROGRAMS[name];
    try {
      const path = find(name) ?? await INSTALLERS[name]?.(log);
      if (path === undefined) missing.set(name, `Cannot find ${title}`);
      else env[variable] = path;
    } catch (error) {
      missing.set(name, error.message);
    }
  }
  return { env, missing };
}
