// The oldest version of LiveKit's SDK that is tested: a package of its own folder, as an alias for it in the project's would keep Deno from
// reading package-lock.json.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install } from "../install.js";
import { withLock } from "../lock.js";
import { root } from "../runtime.js";

const INSTALL_SECONDS = 600;

const entry = join(root, "tools", "rtc_node_013", "node_modules", "@livekit", "rtc-node", "dist", "index.js");

/** The path of the SDK's module, or undefined. */
export function findRtcNode013() {
  return existsSync(entry) ? entry : undefined;
}

/** The path of the SDK's module; installed first where there is none. */
export async function installRtcNode013() {
  return await withLock("install-rtc-node-013", INSTALL_SECONDS, async () => {
    if (findRtcNode013() === undefined) await install("rtc_node_013");
    return findRtcNode013();
  });
}
