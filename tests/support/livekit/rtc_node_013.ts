// The oldest supported version of LiveKit's SDK, in a folder of its own, as two versions cannot share a name.
import "../../../bench/support/quiet.ts";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Sdk from "@livekit/rtc-node";
import { projectRoot } from "../../../bench/support/project_root.ts";

const entry = join(projectRoot(), "tools", "rtc_node_013", "node_modules", "@livekit", "rtc-node", "dist", "index.js");

/** The SDK's module. A process can hold one version only. */
export const sdk = await import(pathToFileURL(entry).href) as typeof Sdk;
