// node tools/acceptance/bundles.js: builds a user's program with each bundler, by the lines of the README, and counts threads and starts.
// Builds each program twice: with its own worker, and without one. The second has the name of our worker's entry, and must not start as it.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { install } from "../lib/install.js";
import { newerNode } from "../lib/programs/newer_nodes.js";
import { mustRun, run } from "../lib/processes.js";
import { commandFor, executable, root } from "../lib/runtime.js";
import { runtimeProgram } from "../lib/runtimes.js";
import { note, tally } from "../lib/tally.js";

const folder = mkdtempSync(join(tmpdir(), "millrace-bundles-"));
const packages = join(root, "tools", "bundlers", "node_modules");

/** Makes a user's program; `worker` is the text of its option of that name. */
const program = (worker) => `
import { isMainThread, Worker } from "node:worker_threads";
import { createCodecPool, createHub, createRuntime } from "millrace";
console.log("PROGRAM STARTS", isMainThread ? "main" : "in a thread");
const pool = createCodecPool({ size: 1${worker} });
const hub = createHub();
const errors = [];
const onError = ({ code }) => errors.push(code);
const alice = await createRuntime({ transport: hub.join("alice"), pool, onError });
const bob = await createRuntime({ transport: hub.join("bob"), pool, onError });
bob.registerByteStreamHandler("b", async (reader) => void await reader.readAll());
const { receipts } = await alice.sendBytes(new Uint8Array(2_000_000), { topic: "b", destinationIdentities: ["bob"], compress: true });
const { workers, jobs, inline } = pool.stats();
console.log("PROGRAM DONE", receipts[0].bytes, JSON.stringify({ workers, isInline: inline > 0 && jobs === 0, errors }));
await alice.close();
await bob.close();
await pool.close();
`;

/** Worker that the bundler builds. */
const OWN_WORKER = ", worker: () => new Worker(new URL(/* webpackIgnore: true */ './worker.js', import.meta.url))";
/** Worker of a program that Bun compiles, under the path that the compiler got. */
const BUN_WORKER = ', worker: () => new Worker("./node_modules/millrace/dist/workers/entry/entry.js")';

/** Worker of a single executable of Node, kept as an asset. */
const NODE_WORKER =
  ', worker: () => new Worker(process.getBuiltinModule("node:sea").getAsset("worker.js", "utf8"), { eval: true })';

/** Output of a program that uses its worker. */
const WITH_WORKER = 'PROGRAM DONE 2000000 {"workers":1,"isInline":false,"errors":[]}';
/** Output of a program without a worker. */
const WITHOUT_WORKER = 'PROGRAM DONE 2000000 {"workers":0,"isInline":true,"errors":["worker-lost"]}';

/** Bundlers, each of which makes out/program.js and out/worker.js. */
const BUNDLERS = {
  esbuild: async (inputs, outdir) => {
    const { build } = await load("esbuild/lib/main.js");
    await build({
      entryPoints: inputs,
      outdir,
      bundle: true,
      platform: "node",
      format: "esm",
      absWorkingDir: folder,
      logLevel: "error",
    });
  },
  rollup: async (input, dir) => {
    const [{ rollup }, { nodeResolve }] = [
      await load("rollup/dist/es/rollup.js"),
      await load("@rollup/plugin-node-resolve/dist/es/index.js"),
    ];
    const bundle = await rollup({
      input,
      plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ["node"], rootDir: folder })],
      onwarn: () => {},
    });
    await bundle.write({ dir, format: "es" });
    await bundle.close();
  },
  webpack: async (entry, path) => {
    const { default: webpack } = await load("webpack/lib/index.js");
    const options = {
      context: folder,
      mode: "production",
      target: "node20",
      entry,
      output: { path, filename: "[name].js", module: true, chunkFormat: "module" },
      experiments: { outputModule: true },
    };
    await new Promise((resolve, reject) => {
      webpack(options, (error, stats) => {
        if (error) return reject(error);
        const { errors, warnings } = stats.toJson();
        return errors.length + warnings.length > 0 ? reject(new Error([...errors, ...warnings][0].message)) : resolve();
      });
    });
  },
  vite: async (input, outDir) => {
    const { build } = await load("vite/dist/node/index.js");
    await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      ssr: { noExternal: true },
      build: { ssr: true, outDir, emptyOutDir: true, rollupOptions: { input, output: { entryFileNames: "[name].js" } } },
    });
  },
};

await tally(async () => {
  if (!existsSync(join(packages, "webpack"))) await install("tools/bundlers");
  await prepare();
  for (const [name, bundle] of Object.entries(BUNDLERS)) await tryBundler(name, bundle);
  await tryBun();
  await tryNodeExecutable();
}, () => rmSync(folder, { recursive: true, force: true }));

/** Makes a project with the pack installed. */
async function prepare() {
  await must(["npm", "run", "build", "--silent"], root);
  await must(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
  const pack = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await must(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", join(folder, pack)], folder);
  writeFileSync(join(folder, "program.mjs"), program(OWN_WORKER));
  writeFileSync(join(folder, "entry.mjs"), program(""));
  writeFileSync(join(folder, "bun.mjs"), program(BUN_WORKER));
  writeFileSync(join(folder, "sea.mjs"), inFunction(program(NODE_WORKER)));
  writeFileSync(join(folder, "commonjs.mjs"), inFunction(program("")));
}

/** Wraps a program in a function, as CommonJS has no top-level `await`. */
function inFunction(text) {
  const at = text.indexOf("console.log");
  return `${text.slice(0, at)}async function main() {\n${text.slice(at)}}\nmain();\n`;
}

async function tryBundler(name, bundle) {
  const out = join(folder, `out-${name}`);
  mkdirSync(out);
  try {
    await bundle({ program: join(folder, "program.mjs"), worker: "millrace/worker" }, out);
    await bundle({ entry: join(folder, "entry.mjs") }, join(out, "alone"));
    writeFileSync(join(out, "package.json"), JSON.stringify({ type: "module" }));
  } catch (error) {
    return note(false, `${name} builds`, error.message);
  }
  for (const runtime of name === "esbuild" ? ["node", "bun", "deno"] : ["node"]) {
    const command = runtime === "node" ? [executable] : commandFor(runtime, await runtimeProgram(runtime));
    await check(`${name}: a bundle with a worker of its own on ${runtime}`, [...command, join(out, "program.js")], WITH_WORKER);
    // webpack keeps the path of the bundled module, so our installed entry is found and used.
    const expected = name === "webpack" ? WITH_WORKER : WITHOUT_WORKER;
    await check(`${name}: a bundle named entry.js on ${runtime}`, [...command, join(out, "alone", "entry.js")], expected);
  }
}

async function tryBun() {
  const bun = await runtimeProgram("bun");
  const worker = "./node_modules/millrace/dist/workers/entry/entry.js";
  await must([bun, "build", "--compile", "./bun.mjs", worker, "--outfile", "compiled"], folder);
  await check(
    "bun build --compile: a program with a worker of its own",
    [join(folder, "compiled")],
    WITH_WORKER,
    join(folder, "out-esbuild"),
  );
  await must([bun, "build", "--compile", "./entry.mjs", "--outfile", "alone"], folder);
  await check("bun build --compile: a program without", [join(folder, "alone")], WITHOUT_WORKER);
}

async function tryNodeExecutable() {
  const { build } = await load("esbuild/lib/main.js");
  const outdir = join(folder, "out-sea");
  const common = { outdir, bundle: true, platform: "node", format: "cjs", absWorkingDir: folder, logLevel: "error" };
  await build({ ...common, entryPoints: { program: join(folder, "sea.mjs"), worker: "millrace/worker" } });
  await build({ ...common, entryPoints: { alone: join(folder, "commonjs.mjs") } });
  writeFileSync(join(outdir, "package.json"), JSON.stringify({ type: "commonjs" }));
  const node = await newerNode("newest");
  for (const name of ["program", "alone"]) {
    const config = {
      main: join(outdir, `${name}.js`),
      output: join(outdir, name),
      executable: node,
      assets: { "worker.js": join(outdir, "worker.js") },
      disableExperimentalSEAWarning: true,
    };
    writeFileSync(join(outdir, `${name}.json`), JSON.stringify(config));
    await must([node, "--build-sea", join(outdir, `${name}.json`)], outdir);
  }
  await check("node --build-sea: a program with a worker of its own", [join(outdir, "program")], WITH_WORKER);
  await check("node --build-sea: a program without", [join(outdir, "alone")], WITHOUT_WORKER);
  await check("esbuild: a CommonJS bundle without a worker", [executable, join(outdir, "alone.js")], WITHOUT_WORKER);
}

function load(path) {
  return import(pathToFileURL(join(packages, path)).href);
}

function must(command, cwd) {
  return mustRun(command, { cwd, seconds: 240 });
}

/** Checks that a program starts once, in the main thread, and prints the expected line. */
async function check(title, command, expected, cwd = folder) {
  const { code, output } = await run(command, { cwd, seconds: 20 });
  const starts = output.match(/PROGRAM STARTS.*/g) ?? [];
  const good = code === 0 && starts.length === 1 && starts[0] === "PROGRAM STARTS main" && output.includes(expected);
  note(good, title, `code ${code}, ${starts.length} starts\n${output.slice(0, 2_000)}`);
}
