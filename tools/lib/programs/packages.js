// Packages that only tests need, in folders of their own: the oldest tested versions of LiveKit's SDKs, Firefox's driver, and what examples for
// agents use. An alias in the project's package would keep Deno from reading package-lock.json; and LiveKit's agents want an older
// rtc-node than the project's.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install } from "../install.js";
import { withLock } from "../lock.js";
import { root } from "../runtime.js";

/** Time limit of an installation, in seconds. */
const INSTALL_SECONDS = 600;

/** `@livekit/rtc-node` 0.13.34. */
export const rtcNode013 = packagesOf("tools/rtc_node_013", "@livekit/rtc-node/dist/index.js");

/** `livekit-client` 2.16.1. */
export const livekitClient216 = packagesOf("tools/livekit_client_216", "livekit-client/dist/livekit-client.esm.mjs");

/** `puppeteer-core`, which drives Firefox by WebDriver BiDi. */
export const puppeteerCore = packagesOf("tools/puppeteer_core", "puppeteer-core/lib/esm/puppeteer/puppeteer-core.js");

/** `@livekit/agents` 1.9.0, with `@livekit/rtc-node` 0.13.35. */
export const livekitAgents = packagesOf("tools/livekit_agents", "@livekit/agents/dist/index.js");

/** The AI SDK, LangGraph.js, OpenAI's agents and others, for the recipes. */
export const agentPackages = packagesOf("examples/agents", "ai/package.json");

/** Packages of a folder: `find` gives the path of the named one, undefined if it is not installed; `install` installs missing ones. */
function packagesOf(folder, path) {
  const entry = join(root, folder, "node_modules", path);
  const find = () => existsSync(entry) ? entry : undefined;
  return {
    find,
    install: () =>
      withLock(`install-${folder.replaceAll(/[_/]/g, "-")}`, INSTALL_SECONDS, async () => {
        if (find() === undefined) await install(folder);
        return find();
      }),
  };
}
