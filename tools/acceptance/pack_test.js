// node tools/acceptance/pack_test.js: packs the project for npm, installs the pack in empty projects, and uses it there on Node, Bun and Deno.
// Then Deno imports the source over HTTP, as from JSR. Each time a small program sends 1 MB and checks that a worker thread did its work.
import { createServer } from "node:http";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun, run } from "../lib/processes.js";
import { commandFor, compiler, executable, root } from "../lib/runtime.js";
import { runtimeProgram } from "../lib/runtimes.js";
import { note, tally } from "../lib/tally.js";

const folder = mkdtempSync(join(tmpdir(), "millrace-pack-"));
const proof = join(folder, "worker-ran");
// A separate cache, as Bun would reuse an earlier pack of the same version, and links files to its cache.
const env = { NO_COLOR: "1", MILLRACE_PROOF: proof, BUN_INSTALL_CACHE_DIR: join(folder, "bun-cache") };

/** Code at the end of the worker's entry that proves a worker's start. Without workers the work is done on the main thread, unnoticed. */
const witness = `
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
if (!isMainThread || "DedicatedWorkerGlobalScope" in globalThis) writeFileSync(process.env.MILLRACE_PROOF, "yes");
`;

const program = (from, actors) => `
import { createHash } from "node:crypto";
import { createCodecPool, createHub, createRuntime } from "${from}";
import { sendFileActor } from "${actors}";

if (typeof sendFileActor !== "object") throw new Error("The actors are missing");
const pool = createCodecPool({ size: 1 });
const hub = createHub();
const alice = await createRuntime({ transport: hub.join("alice"), pool });
const bob = await createRuntime({ transport: hub.join("bob"), pool });
const data = new Uint8Array(1_000_000).map((_, at) => at * at >> 3);
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
const received = new Promise((resolve, reject) => {
  bob.registerByteStreamHandler("pack", (reader) => reader.readAll().then(resolve, reject));
});
await alice.sendBytes(data, { topic: "pack", destinationIdentities: ["bob"] });
if (digest(await received) !== digest(data)) throw new Error("What was received is not what was sent");
if (pool.workers !== 1) throw new Error("No worker runs: pool.workers is " + pool.workers);
await alice.close();
await bob.close();
await pool.close();
console.log("sent 1 MB");
`;

await tally(async () => {
  const pack = await makePack();
  await onNode(pack);
  await onBun(pack);
  await onDeno();
  await overHttp();
}, () => rmSync(folder, { recursive: true, force: true }));

async function makePack() {
  await must(["npm", "run", "build", "--silent"], root);
  const made = await must(["npm", "pack", "--ignore-scripts", "--json", "--silent", "--pack-destination", folder], root);
  const { filename, files } = firstOf(JSON.parse(made.slice(made.search(/[[{]/))));
  const wrong = files.map(({ path }) => path).filter((path) => /^dist\/(tests|bench|examples)\//.test(path));
  if (wrong.length > 0) throw new Error(`Cannot accept the pack as it must have files for users only: it has "${wrong[0]}"`);
  if (!files.some(({ path }) => path === "dist/workers/entry/entry.js")) {
    throw new Error("Cannot accept the pack as it must have the worker's entry");
  }
  return join(folder, filename);
}

/** Finds the first pack: npm prints a list, or in newer versions an object by name. */
function firstOf(packs) {
  return Array.isArray(packs) ? packs[0] : Object.values(packs)[0];
}

async function onNode(pack) {
  const project = emptyProject("node");
  await must(["npm", "install", "--no-audit", "--no-fund", pack], project);
  appendWitness(project);
  await check("npm pack on Node", [executable, "program.js"], project);
  const consumer = program("millrace", "millrace/actors").replace("(bytes)", "(bytes: Uint8Array)").replace(
    "new Promise(",
    "new Promise<Uint8Array>(",
  );
  writeFileSync(join(project, "program.ts"), consumer);
  const flags = [
    "--noEmit",
    "--strict",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "--lib",
    "es2023,esnext.disposable,dom,dom.asynciterable",
  ];
  const types = ["--skipLibCheck", "--typeRoots", join(root, "node_modules", "@types"), "--types", "node"];
  await check("types of the pack", [executable, compiler, ...flags, ...types, "program.ts"], project, "");
}

async function onBun(pack) {
  const project = emptyProject("bun");
  const bun = await runtimeProgram("bun");
  await must([bun, "add", pack], project);
  appendWitness(project);
  await check("npm pack on Bun", [...commandFor("bun", bun), "program.js"], project);
}

/** Uses the node_modules of npm on Deno, which cannot install a pack from a file. */
async function onDeno() {
  const deno = await runtimeProgram("deno");
  await check("npm pack on Deno", [...commandFor("deno", deno), "program.js"], join(folder, "node"));
}

async function overHttp() {
  const deno = await runtimeProgram("deno");
  const files = await publishedFiles(deno);
  const server = createServer((request, response) => serve(files, request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const origin = `http://127.0.0.1:${server.address().port}`;
    const project = join(folder, "http");
    mkdirSync(project);
    // Deno requires the builds of msgpackr's optional native part for all platforms, and some registries lack a few of the newest.
    const { overrides } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, overrides }));
    writeFileSync(join(project, "deno.json"), JSON.stringify({ nodeModulesDir: "none" }));
    writeFileSync(join(project, "program.js"), program(`${origin}/mod.ts`, `${origin}/actors/mod.ts`));
    await check("JSR source over HTTP on Deno", [...commandFor("deno", deno), "--no-lock", "program.js"], project);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Reads the files that would be published, by path, from the output of the dry run. */
async function publishedFiles(deno) {
  const output = await must([deno, "publish", "--dry-run", "--allow-dirty", "--no-check", "--allow-slow-types"], root);
  const paths = [...output.matchAll(/^\s*(file:\/\/\S+)/gm)].map(([, address]) => fileURLToPath(address));
  return new Map(paths.map((path) => [path.slice(root.length), readFileSync(path, "utf8")]));
}

function serve(files, request, response) {
  const text = files.get(request.url);
  if (text === undefined) return void response.writeHead(404).end();
  const type = request.url.endsWith(".ts")
    ? "application/typescript"
    : request.url.endsWith(".js")
    ? "text/javascript"
    : "text/plain";
  const body = withNpmSpecifiers(text) + (request.url === "/workers/entry/entry.js" ? witness : "");
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
}

/** Rewrites bare names, as JSR does when a package is published. */
function withNpmSpecifiers(text) {
  const { imports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  return text.replace(/((?:\bfrom|\bimport)\s*\(?\s*)"([^".:]+)"/g, (whole, before, name) => {
    const entry = Object.keys(imports).find((key) => name === key || name.startsWith(`${key}/`)) ?? name;
    const mapped = imports[entry];
    return mapped?.startsWith("npm:") ? `${before}"${mapped}${name.slice(entry.length)}"` : whole;
  });
}

function appendWitness(project) {
  appendFileSync(join(project, "node_modules", "millrace", "dist", "workers", "entry", "entry.js"), witness);
}

function emptyProject(name) {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: `uses-millrace-on-${name}`, private: true, type: "module" }),
  );
  writeFileSync(join(project, "program.js"), program("millrace", "millrace/actors"));
  return project;
}

function must(command, cwd) {
  return mustRun(command, { cwd, seconds: 240, env });
}

async function check(title, command, cwd, expected = "sent 1 MB") {
  const { code, output } = await run(command, { cwd, seconds: 60, env });
  const worked = expected === "" || existsSync(proof);
  rmSync(proof, { force: true });
  const good = code === 0 && output.includes(expected) && worked;
  note(good, title, `${output}${worked ? "" : "No worker thread ran"}`);
}
