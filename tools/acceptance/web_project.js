// node tools/acceptance/web_project.js: tries the README's lines for a web page as a new user would. Makes an empty Vite project, and installs the
// pack there. Type-checks the lines, and runs them in Chromium with a LiveKit server and the agent: by Vite's development server, and built.
import { Buffer } from "node:buffer";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { mustRun, run } from "../lib/processes.js";
import { needed } from "../lib/programs/programs.js";
import { compiler, executable, root } from "../lib/runtime.js";
import { startGuarded, untilReady } from "../lib/servers/guarded.js";
import { startOwnServer } from "../lib/servers/own_server.js";
import { freePort } from "../lib/servers/ports.js";
import { note, tally } from "../lib/tally.js";

/** Time for the page to do all of it, in ms. */
const PAGE_MS = 60_000;

/** Packages beside Millrace's pack. The compiler is the clone's. */
const PACKAGES = ["livekit-client@^2.23.0", "livekit-server-sdk@^2.19.2", "vite@^8.3.8"];

/** Lines of the user's before those of the README. */
const OWN_LINES = `const { url, token } = await (await fetch("/token?as=guest")).json();
const input = document.querySelector("input")!;
`;

const CONFIG = `import { answerToken } from "./token.js";
const token = ({ middlewares }) => void middlewares.use("/token", answerToken);
export default { plugins: [{ name: "token", configureServer: token, configurePreviewServer: token }] };
`;

/** Settings of TypeScript in Vite's own template, as far as they matter. */
const TYPES = {
  compilerOptions: {
    target: "ES2023",
    module: "ESNext",
    lib: ["ES2023", "DOM"],
    types: ["vite/client"],
    moduleResolution: "bundler",
    strict: true,
    noUnusedLocals: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ["src"],
};

const folder = mkdtempSync(join(tmpdir(), "millrace-web-"));
const programs = [];

await tally(main, async () => {
  for (const program of programs.reverse()) await program.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function main() {
  await makeProject();
  const types = await run([executable, compiler, "-p", folder], { cwd: folder, seconds: 120 });
  note(types.code === 0, "the README's lines for a web page: types", types.output);
  const { server, env: variables } = await startOwnServer(console.log);
  programs.push(server);
  const env = { ...process.env, ...variables, NODE_ENV: "production" };
  const agent = startGuarded(
    [executable, join(root, "tools", "agent.js"), "--room", "lobby", "--inbox", join(folder, "inbox")],
    { env },
  );
  programs.push(agent);
  await untilReady(agent, "the agent", () => agent.output().includes("listens in room"), 60);
  const vite = join(folder, "node_modules", "vite", "bin", "vite.js");
  await tryPage("by Vite's development server", [executable, vite, folder], env);
  await mustRun([executable, vite, "build", folder], { cwd: folder, seconds: 120 });
  await tryPage("built by Vite", [executable, vite, "preview", folder], env);
}

async function makeProject() {
  await mustRun(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
  const pack = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", join(folder, pack), ...PACKAGES];
  await mustRun(install, { cwd: folder, seconds: 240 });
  copyFileSync(join(root, "examples", "web", "token.js"), join(folder, "token.js"));
  writeFileSync(join(folder, "vite.config.js"), CONFIG);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TYPES));
  writeFileSync(join(folder, "index.html"), '<input type="file"><script type="module" src="/src/main.ts"></script>');
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src", "main.ts"), OWN_LINES + linesOfReadme());
}

/** Code blocks of the section on pages, as one module. */
function linesOfReadme() {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const [, section] = /^## In a browser\n([^]*?)^## /m.exec(text) ?? [];
  const blocks = [...(section ?? "").matchAll(/^```ts no-run\n([^]*?)^```/gm)].map(([, code]) => code);
  if (blocks.length === 0) throw new Error('Cannot find the lines as README.md must have them below "In a browser"');
  return blocks.join("\n");
}

/** Opens the page that a server serves: it asks, is answered, gets a report and sends a file. */
async function tryPage(title, command, env) {
  const port = await freePort();
  const server = startGuarded([...command, "--host", "127.0.0.1", "--port", String(port), "--strictPort"], { env });
  programs.push(server);
  const url = `http://127.0.0.1:${port}/`;
  await untilReady(server, "Vite", async () => (await fetch(url).catch(() => undefined))?.ok === true, 60);
  const browser = await chromium.launch({
    executablePath: needed("chromium"),
    args: ["--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"],
  });
  const told = [];
  let workers = 0;
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PAGE_MS);
    page.on("pageerror", (error) => told.push(error.message));
    page.on("console", (message) => message.text().startsWith("millrace:") && told.push(message.text()));
    page.on("worker", () => workers++);
    const report = page.waitForEvent("download");
    await page.goto(url);
    await page.waitForFunction(() => document.body.innerText.includes("on its way."));
    const text = Buffer.from("A text that can be compressed. ".repeat(100_000));
    await page.setInputFiles("input", { name: `${port}.txt`, mimeType: "text/plain", buffer: text });
    await page.waitForFunction(() => document.body.innerText.includes("all of its 3,100,000 bytes"));
    await report;
    const isSaved = readFileSync(join(folder, "inbox", `${port}.txt`)).equals(text);
    note(
      isSaved && workers > 0 && told.length === 0,
      `the README's lines for a web page: ${title}`,
      `${workers} workers\n${told.join("\n")}`,
    );
  } catch (error) {
    note(false, `the README's lines for a web page: ${title}`, `${error.message}\n${told.join("\n")}`);
  } finally {
    await browser.close();
    await server.kill();
  }
}
