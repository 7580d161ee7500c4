// node tools/acceptance/page_size.js [--table]: bundles the lines of the README's "In a browser" for a page by esbuild, minifies and gzips
// them, and holds the sizes to limits. --table prints which files and packages weigh how much of the minified code.
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildIfStale } from "../lib/build.js";
import { root } from "../lib/runtime.js";
import { note, tally } from "../lib/tally.js";

/** Bytes of a kilobyte. */
const KB = 1_000;

/** A page's program: the first lines of every user. */
const PROGRAM = `
import { createRuntime } from "millrace";
import { livekit } from "millrace/livekit";
globalThis.started = createRuntime({ transport: livekit(globalThis.room) });
`;

/** Limits in kB of gzip: the sizes reached, and a little. The goals are those of the project, of which the page's are missed. */
const LIMITS = {
  "page code with xstate": { limit: 80, goal: 60 },
  "page code without xstate": { limit: 68, goal: 45 },
  "worker": { limit: 11, goal: 12 },
};

await tally(async () => {
  await buildIfStale();
  const whole = await bundle({ contents: PROGRAM });
  check("page code with xstate", whole);
  check("page code without xstate", await bundle({ contents: PROGRAM, external: ["xstate"] }));
  check("worker", await bundle({ contents: 'import "millrace/worker";' }));
  if (process.argv.includes("--table")) printTable(whole);
}, () => {});

/** Bundles a program, and returns the code that the page loads at once, and that of later imports. */
async function bundle({ contents, external = [] }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    tsconfigRaw: "{}", // not its paths, which name the sources of Node's entries
    logLevel: "silent",
    minify: true,
    metafile: true,
    write: false,
    outdir: "out",
    external,
  });
  const outputs = Object.entries(metafile.outputs).map(([path, output]) => ({
    ...output,
    path,
    bytes: gzipped(outputFiles.find((file) => file.path === join(root, path))),
  }));
  const entry = outputs.find(({ entryPoint }) => entryPoint !== undefined);
  const first = atOnce(entry, outputs);
  return { first, later: outputs.filter((output) => !first.includes(output)) };
}

function gzipped({ contents }) {
  return gzipSync(contents, { level: 9 }).length;
}

/** An output and those that it imports, not later. */
function atOnce(output, outputs, found = []) {
  if (found.includes(output)) return found;
  found.push(output);
  for (const { path, kind } of output.imports) {
    const other = outputs.find((one) => one.path === path);
    if (kind === "import-statement" && other !== undefined) atOnce(other, outputs, found);
  }
  return found;
}

function check(title, { first, later }) {
  const { limit, goal } = LIMITS[title];
  const kilobytes = sum(first) / KB;
  const rest = later.length === 0 ? "" : `, and ${(sum(later) / KB).toFixed(1)} kB later`;
  note(kilobytes <= limit, `${title}: ${kilobytes.toFixed(1)} kB min+gzip${rest}; limit ${limit}, goal ${goal}`, "too large");
}

function sum(outputs) {
  return outputs.reduce((total, { bytes }) => total + bytes, 0);
}

/** Prints the minified bytes of each folder and package. */
function printTable({ first }) {
  const sizes = new Map();
  for (const { inputs } of first) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const at = path.split("/node_modules/").pop().replace(/^node_modules\//, "");
      const name = path.includes("node_modules")
        ? at.split("/").slice(0, at.startsWith("@") ? 2 : 1).join("/")
        : at.split("/").slice(1, -1).join("/");
      sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
    }
  }
  for (const [name, bytes] of [...sizes].sort(([, a], [, b]) => b - a)) console.log(`${String(bytes).padStart(8)} ${name}`);
}
