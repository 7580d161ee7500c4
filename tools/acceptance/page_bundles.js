// node tools/acceptance/page_bundles.js: builds a user's page with each bundler, from the npm pack in an empty project, and opens it in Chromium
// under a strict content security policy. The page must do its work in Web Workers, and save a file by the code that is loaded later.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../../bench/support/chromium_flags.js";
import { install } from "../lib/install.js";
import { needed } from "../lib/programs/programs.js";
import { mustRun } from "../lib/processes.js";
import { root } from "../lib/runtime.js";
import { note, tally } from "../lib/tally.js";

const folder = mkdtempSync(join(tmpdir(), "millrace-page-bundles-"));
const packages = join(root, "tools", "bundlers", "node_modules");

/** Policy of a page that loads its own scripts and workers only. */
const POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";
const TYPES = { ".html": "text/html", ".js": "text/javascript" };
/** Longest wait for a page's work, in ms. */
const WORK_MS = 60_000;

/** Makes a user's program; `worker` is the text of its option of that name. */
const program = (worker) => `
import { createCodecPool, createHub, createRuntime } from "millrace";
globalThis.work = (async () => {
  const pool = createCodecPool({ size: 1${worker} });
  const hub = createHub({ link: { kind: "reliable", delay: 1, rate: 10e6 } });
  const errors = [];
  const onError = ({ code }) => errors.push(code);
  const alice = await createRuntime({ transport: hub.join("alice"), pool, onError });
  const bob = await createRuntime({ transport: hub.join("bob"), pool, onError });
  const folder = await navigator.storage.getDirectory();
  bob.registerByteStreamHandler("b", async (reader) => void await reader.saveTo(folder, { overwrite: true }));
  const file = new File([new Uint8Array(2_000_000)], "zeros.bin");
  const { receipts } = await alice.sendFile(file, { topic: "b", compress: true });
  const { workers, jobs } = pool.stats();
  const { size } = await (await folder.getFileHandle("zeros.bin")).getFile();
  await Promise.all([alice.close(), bob.close(), pool.close()]);
  return JSON.stringify({ receipts, size, workers, hasJobs: jobs > 0, errors });
})();
`;

/** Result of a page whose workers work. */
const EXPECTED = '{"receipts":[{"identity":"bob","bytes":2000000}],"size":2000000,"workers":1,"hasJobs":true,"errors":[]}';

/** Worker of a bundler that does not find it by itself. */
const OWN_WORKER = ', worker: () => new Worker("/worker.js", { type: "module" })';

/** Bundlers, each of which makes a folder with a page. */
const BUNDLERS = {
  esbuild: async (outdir) => {
    const { build } = await load("esbuild/lib/main.js");
    await build({
      entryPoints: { program: "own_worker.js", worker: "millrace/worker" },
      outdir,
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      absWorkingDir: folder,
      logLevel: "error",
    });
    writeFileSync(join(outdir, "index.html"), pageOf("/program.js"));
  },
  vite: async (outDir) => {
    const { build } = await load("vite/dist/node/index.js");
    writeFileSync(join(folder, "index.html"), pageOf("/program.js"));
    await build({ root: folder, configFile: false, logLevel: "error", build: { outDir, emptyOutDir: true } });
  },
  webpack: async (path) => {
    const { default: webpack } = await load("webpack/lib/index.js");
    const options = { context: folder, mode: "production", entry: "./program.js", output: { path, filename: "program.js" } };
    await new Promise((resolve, reject) => {
      webpack({ ...options, performance: { hints: false } }, (error, stats) => {
        if (error) return reject(error);
        const { errors, warnings } = stats.toJson();
        return errors.length + warnings.length > 0 ? reject(new Error([...errors, ...warnings][0].message)) : resolve();
      });
    });
    writeFileSync(join(path, "index.html"), pageOf("/program.js"));
  },
};

await tally(async () => {
  if (!existsSync(join(packages, "webpack"))) await install("tools/bundlers");
  await prepare();
  const browser = await chromium.launch({ executablePath: needed("chromium"), args: [...CHROMIUM_FLAGS] });
  try {
    for (const [name, bundle] of Object.entries(BUNDLERS)) await tryBundler(browser, name, bundle);
  } finally {
    await browser.close();
  }
}, () => rmSync(folder, { recursive: true, force: true }));

/** Makes a project with the pack installed. */
async function prepare() {
  await must(["npm", "run", "build", "--silent"], root);
  await must(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
  const pack = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await must(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", join(folder, pack)], folder);
  writeFileSync(join(folder, "program.js"), program(""));
  writeFileSync(join(folder, "own_worker.js"), program(OWN_WORKER));
}

function pageOf(script) {
  return `<!doctype html><title>Page</title><script type="module" src="${script}"></script>`;
}

async function tryBundler(browser, name, bundle) {
  const out = join(folder, `out-${name}`);
  mkdirSync(out);
  const title = `${name}: a page with a worker of its own, in Chromium`;
  try {
    await bundle(out);
    const found = await resultOf(browser, out);
    note(found === EXPECTED, title, `got ${found}`);
  } catch (error) {
    note(false, title, error.message);
  }
}

/** Opens a built page, and returns the result of its work. */
async function resultOf(browser, out) {
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : request.url;
    response.setHeader("content-security-policy", POLICY);
    try {
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(readFileSync(join(out, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  const messages = [];
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("console", (message) => messages.push(message.text()));
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, WORK_MS, `nothing within ${WORK_MS} ms; the page said: ${messages.join("; ")}`);
    });
    const work = page.waitForFunction("globalThis.work !== undefined").then(() => page.evaluate("globalThis.work"));
    return await Promise.race([work, late]).finally(() => clearTimeout(timer));
  } finally {
    await page.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function load(path) {
  return import(pathToFileURL(join(packages, path)).href);
}

function must(command, cwd) {
  return mustRun(command, { cwd, seconds: 240 });
}
