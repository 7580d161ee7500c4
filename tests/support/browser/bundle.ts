// Bundles for pages, by esbuild: the project's sources as they are, with the modules that a page cannot have replaced.
import { join, relative } from "node:path";
import { build, type Plugin } from "esbuild";
import { projectRoot } from "../../../bench/support/project_root.ts";

const root: string = projectRoot();

/** Modules of Node's side that tests import, and those of the page that stand in for them. Paths are in the project. */
const STAND_INS: Readonly<Record<string, string>> = {
  "mod.ts": "browser.ts",
  "common/platforms/node.ts": "common/platforms/browser.ts",
  "workers/node/job_platform.ts": "tests/support/browser/page_platform.ts",
  "workers/node/zlib.ts": "tests/support/browser/page_platform.ts",
  "workers/pool/node_pool.ts": "tests/support/browser/page_platform.ts",
  "tests/support/harness.ts": "tests/support/browser/page_harness.ts",
};

/** Sources of the package's entries that pages of examples import. */
const ENTRIES: Readonly<Record<string, string>> = {
  "millrace": "browser.ts",
  "millrace/ai-sdk": "integrations/ai_sdk/mod.ts",
  "millrace/livekit-client": "transports/livekit_client/mod.ts",
};

/** Modules of Node that tests import, for pages: a few functions of each. */
const NODE_MODULES: ReadonlySet<string> = new Set([
  "node:buffer",
  "node:crypto",
  "node:net",
  "node:process",
  "node:timers/promises",
]);

export interface BundleOptions {
  /** Files as paths in the project. */
  readonly entries: readonly string[];
  /** Path of the module that stands for "livekit-client"; by default that of the project's packages. */
  readonly sdk?: string | undefined;
}

/** Bundles entries to one module, and returns its text. */
export async function bundleForPage({ entries, sdk }: BundleOptions): Promise<string> {
  const imports = entries.map((entry) => `import ${JSON.stringify(`./${entry}`)};`).join("\n");
  const { outputFiles: [file] } = await build({
    stdin: { contents: imports, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    target: "es2022",
    sourcemap: false,
    write: false,
    logLevel: "silent",
    ignoreAnnotations: true, // "sideEffects" of package.json is about the library
    tsconfigRaw: "{}", // without the project's paths: "millrace" is the package's name
    ...(sdk === undefined ? {} : { alias: { "livekit-client": sdk } }),
    plugins: [standIns],
  });
  if (file === undefined) throw new Error("Cannot bundle the page as esbuild made no file");
  return file.text;
}

const standIns: Plugin = {
  name: "stand-ins",
  setup({ onResolve }) {
    onResolve({ filter: /^millrace(\/|$)/ }, ({ path }) => {
      const source = ENTRIES[path];
      return source === undefined ? undefined : { path: join(root, source) };
    });
    onResolve(
      { filter: /^node:/ },
      ({ path, importer }) =>
        NODE_MODULES.has(path)
          ? { path: join(root, "tests/support/browser/node_shims.ts") }
          : { errors: [{ text: `A page has no ${path}`, detail: importer }] },
    );
    onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
      const standIn = STAND_INS[relative(root, join(resolveDir, path)).replaceAll("\\", "/")];
      return standIn === undefined ? undefined : { path: join(root, standIn) };
    });
  },
};
