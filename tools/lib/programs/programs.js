// Programs that tests of LiveKit need, with their places. This file installs nothing.
import { existsSync } from "node:fs";
import process from "node:process";
import { resolve } from "node:path";
import { findLivekitServer } from "../servers/livekit_server.js";
import { agentPackages, livekitAgents, livekitClient216, puppeteerCore, rtcNode013 } from "./packages.js";
import { onPath } from "./on_path.js";
import { findPython } from "./python.js";

/** Programs by name: title, function that finds the path, and variable that overrides the path. */
export const PROGRAMS = {
  livekit: { title: "a LiveKit server", variable: "LIVEKIT_SERVER", find: findLivekitServer },
  redis: { title: "Redis", variable: "REDIS_SERVER", find: () => onPath("redis-server") },
  chromium: {
    title: "Chromium",
    variable: "CHROMIUM",
    find: () => firstOnPath("chromium", "chromium-browser", "google-chrome"),
  },
  firefox: { title: "Firefox", variable: "FIREFOX", find: () => firstOnPath("firefox-esr", "firefox") },
  "puppeteer-core": { title: "Firefox's driver", variable: "PUPPETEER_CORE", find: puppeteerCore.find },
  "rtc-node-0.13": { title: "LiveKit's SDK 0.13.34", variable: "RTC_NODE_013", find: rtcNode013.find },
  "livekit-client-2.16": { title: "LiveKit's SDK for pages 2.16.1", variable: "LIVEKIT_CLIENT_216", find: livekitClient216.find },
  "livekit-agents": { title: "LiveKit's agents 1.9.0", variable: "LIVEKIT_AGENTS", find: livekitAgents.find },
  "agent-packages": { title: "the packages of examples/agents", variable: "AGENT_PACKAGES", find: agentPackages.find },
  python: { title: "Python with LiveKit's SDK", variable: "MILLRACE_PYTHON", find: findPython },
};

function firstOnPath(...names) {
  return names.map(onPath).find((path) => path !== undefined);
}

/** Instruction for installing a missing program. */
export const HOW_TO_GET = "node tools/install/peers.js (on Debian as root it installs what it can, and it says what it cannot)";

/** Finds a program; undefined if there is none. Throws if its variable names a missing file. */
export function find(name) {
  const { title, variable, find: search } = PROGRAMS[name];
  const named = process.env[variable] ?? "";
  if (named === "") return search();
  if (!existsSync(named)) throw new Error(`Cannot find ${title} as ${variable} must name a file: path is "${named}"`);
  return resolve(named);
}

/** Finds a program. Throws if there is none. */
export function needed(name) {
  const path = find(name);
  if (path !== undefined) return path;
  const { title, variable } = PROGRAMS[name];
  throw new Error(`Cannot find ${title}: get it by ${HOW_TO_GET}, or name it in ${variable}`);
}
