// Versions of livekit-client that pages are tested with: the ends of the supported range.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../bench/support/project_root.ts";

export interface ClientSdk {
  readonly version: string;
  /** Path of the module for bundles. */
  readonly module: string;
  /** Path of the worker for end-to-end encryption. */
  readonly e2eeWorker: string;
}

/** The newest version, which the project's packages have. */
export const NEWEST: ClientSdk = sdk("newest", dirname(createRequire(import.meta.url).resolve("livekit-client")));

/** The oldest version, in a folder of its own, as two versions cannot share a name. */
export const OLDEST: ClientSdk = sdk(
  "2.16.1",
  join(projectRoot(), "tools", "livekit_client_216", "node_modules", "livekit-client", "dist"),
);

function sdk(version: string, folder: string): ClientSdk {
  return {
    version,
    module: join(folder, "livekit-client.esm.mjs"),
    e2eeWorker: join(folder, "livekit-client.e2ee.worker.mjs"),
  };
}
