// The foreign programs that tests of LiveKit need: where each is, and how to get it. Nothing is installed here.
import { existsSync } from "node:fs";
import process from "node:process";
import { resolve } from "node:path";
import { findLivekitServer } from "../servers/livekit_server.js";
import { onPath } from "./on_path.js";
import { findPython } from "./python.js";
import { findRtcNode013 } from "./rtc_node_013.js";

/** By name: what it is, how to find it (a path, or undefined), and the variable that names another. */
export const PROGRAMS = {
  livekit: { title: "a LiveKit server", variable: "LIVEKIT_SERVER", find: findLivekitServer },
  redis: { title: "Redis", variable: "REDIS_SERVER", find: () => onPath("redis-server") },
  chromium: {
    title: "Chromium",
    variable: "CHROMIUM",
    find: () => ["chromium", "chromium-browser", "google-chrome"].map(onPath).find((path) => path !== undefined),
  },
  "rtc-node-0.13": { title: "LiveKit's SDK 0.13.34", variable: "RTC_NODE_013", find: findRtcNode013 },
  python: { title: "Python with LiveKit's SDK", variable: "MILLRACE_PYTHON", find: findPython },
};

/** How to get any of them. */
export const HOW_TO_GET = "node tools/peers.js (on Debian as root it installs what it can, and it says what it cannot)";

/** The path of a program, or undefined. Throws when its variable names no file. */
export function find(name) {
  const { title, variable, find: look } = PROGRAMS[name];
  const named = process.env[variable] ?? "";
  if (named === "") return look();
  if (!existsSync(named)) throw new Error(`Cannot find ${title} where ${variable} says: path is "${named}"`);
  return resolve(named);
}

/** The path of a program. Throws where there is none. */
export function needed(name) {
  const path = find(name);
  if (path !== undefined) return path;
  const { title, variable } = PROGRAMS[name];
  throw new Error(`Cannot find ${title}: get it by ${HOW_TO_GET}, or name it in ${variable}`);
}
