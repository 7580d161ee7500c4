// What test files need of this machine: a LiveKit server those below tests/livekit, and more where a line of a file says so:
//   // needs: redis, chromium
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildLivekitServer } from "../servers/livekit_server.js";
import { find, PROGRAMS } from "./programs.js";
import { installRtcNode013 } from "./rtc_node_013.js";
import { root } from "../runtime.js";

/** The names of programs that a test file needs. Throws at a name that is none. */
export function needsOf(file) {
  const line = /^\/\/ needs: (.+)$/m.exec(readFileSync(join(root, file), "utf8"));
  const named = line === null ? [] : line[1].split(",").map((name) => name.trim());
  const unknown = named.find((name) => !(name in PROGRAMS));
  if (unknown !== undefined) throw new Error(`Cannot tell what a test needs: file is "${file}", name is "${unknown}"`);
  return [...new Set(file.startsWith("tests/livekit/") ? ["livekit", ...named] : named)];
}

/** How to get a program that needs nothing of this machine but a package registry, and Go for one of them. */
const makers = {
  livekit: buildLivekitServer,
  "rtc-node-0.13": installRtcNode013,
};

/**
 * Finds programs, and builds the LiveKit server where Go can. `env` tells tests where they are; `missing` has, by name, why one of them is
 * not to be had.
 */
export async function provide(names, say) {
  const env = names.length > 0 ? { NODE_ENV: "production" } : {}; // LiveKit's SDK logs otherwise
  const missing = new Map();
  for (const name of names) {
    const { title, variable } = PROGRAMS[name];
    try {
      const path = find(name) ?? await makers[name]?.(say);
      if (path === undefined) missing.set(name, `Cannot find ${title}`);
      else env[variable] = path;
    } catch (error) {
      missing.set(name, error.message);
    }
  }
  return { env, missing };
}
