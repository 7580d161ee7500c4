// Oldest tested versions of LiveKit's SDKs, in folders of their own: an alias in the project's package would keep Deno from reading
// package-lock.json.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install } from "../install.js";
import { withLock } from "../lock.js";
import { root } from "../runtime.js";

/** Time limit of an installation, in seconds. */
const INSTALL_SECONDS = 600;

/** `@livekit/rtc-node` 0.13.34. */
export const rtcNode013 = oldestSdk("rtc_node_013", "@livekit/rtc-node/dist/index.js");

/** `livekit-client` 2.16.1. */
export const livekitClient216 = oldestSdk("livekit_client_216", "livekit-client/dist/livekit-client.esm.mjs");

/** An SDK in a folder of tools/: `find` gives its module's path, undefined if it is not installed; `install` installs a missing one. */
function oldestSdk(folder, path) {
  const entry = join(root, "tools", folder, "node_modules", path);
  const find = () => existsSync(entry) ? entry : undefined;
  return {
    find,
    install: () =>
      withLock(`install-${folder.replaceAll("_", "-")}`, INSTALL_SECONDS, async () => {
        if (find() === undefined) await install(folder);
        return find();
      }),
  };
}
