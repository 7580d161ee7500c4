// Oldest tested version of LiveKit's SDK, in a folder of its own: an alias in the project's package would keep Deno from reading
// package-lock.json.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install } from "../install.js";
import { withLock } from "../lock.js";
import { root } from "../runtime.js";

/** Time limit of an installation, in seconds. */
const INSTALL_SECONDS = 600;

const entry = join(root, "tools", "rtc_node_013", "node_modules", "@livekit", "rtc-node", "dist", "index.js");

/** Finds the SDK's module; undefined if it is not installed. */
export function findRtcNode013() {
  return existsSync(entry) ? entry : undefined;
}

/** Finds the SDK's module, and installs a missing one. */
export async function installRtcNode013() {
  return await withLock("install-rtc-node-013", INSTALL_SECONDS, async () => {
    if (findRtcNode013() === undefined) await install("rtc_node_013");
    return findRtcNode013();
  });
}
