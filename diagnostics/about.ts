import process from "node:process";

/** Version of the library. */
export const VERSION = "0.1.0";

/** Versions of a program. */
export interface About {
  /** Version of Millrace. */
  readonly millrace: string;
  /** Runtime, its version, system and processor: "node 20.20.2, linux x64". */
  readonly platform: string;
}

/** Versions of this program. */
export function aboutThis(): About {
  const { versions, platform, arch } = process;
  const [name, version] = versions["bun"] !== undefined
    ? ["bun", versions["bun"]]
    : versions["deno"] !== undefined
    ? ["deno", versions["deno"]]
    : ["node", versions.node];
  return { millrace: VERSION, platform: `${name} ${version}, ${platform} ${arch}` };
}
