// node tools/acceptance/web_project.js: tries the README's lines for a web page as a new user would. Makes an empty Vite project, and installs the
// pack there. Type-checks the lines, and runs them in Chromium with a LiveKit server and the agent: by Vite's development server, and built.
import { Buffer } from "node:buffer";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { addViteConfig, inUserProject, linesOf, packInto, withPage } from "../lib/checks/user_project.js";
import { mustRun, run } from "../lib/processes.js";
import { compiler, executable, root } from "../lib/runtime.js";
import { startGuarded, untilReady } from "../lib/servers/guarded.js";
import { startOwnServer } from "../lib/servers/own_server.js";
import { note } from "../lib/tally.js";

/** Time for the page to do all of it, in ms. */
const PAGE_MS = 60_000;

/** Packages beside Millrace's pack. The compiler is the clone's. */
const PACKAGES = ["livekit-client@^2.23.0", "livekit-server-sdk@^2.19.2", "vite@^8.3.8"];

/** Lines of the user's before those of the README. */
const OWN_LINES = `const { url, token } = await (await fetch("/token?as=guest")).json();
const input = document.querySelector("input")!;
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

await inUserProject(async (folder, programs) => {
  await makeProject(folder);
  const types = await run([executable, compiler, "-p", folder], { cwd: folder, seconds: 120 });
  note(types.code === 0, "the README's lines for a web page: types", types.output);
  const { server, env: variables } = await startOwnServer(console.log);
  programs.push(server);
  const env = { ...process.env, ...variables, NODE_ENV: "production" };
  const inbox = join(folder, "inbox");
  const agent = startGuarded([executable, join(root, "tools", "agent.js"), "--room", "lobby", "--inbox", inbox], { env });
  programs.push(agent);
  await untilReady(agent, "the agent", () => agent.output().includes("listens in room"), 60);
  await tryPage("by Vite's development server", folder, [], env);
  const vite = join(folder, "node_modules", "vite", "bin", "vite.js");
  await mustRun([executable, vite, "build", folder], { cwd: folder, seconds: 120 });
  await tryPage("built by Vite", folder, ["preview"], env);
});

async function makeProject(folder) {
  const pack = await packInto(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", pack, ...PACKAGES];
  await mustRun(install, { cwd: folder, seconds: 240 });
  addViteConfig(folder);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TYPES));
  writeFileSync(join(folder, "index.html"), '<input type="file"><script type="module" src="/src/main.ts"></script>');
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src", "main.ts"), OWN_LINES + linesOf("## In a browser").blocks.join("\n"));
}

/** Opens the page: it asks, is answered, gets a report and sends a file. */
async function tryPage(title, folder, mode, env) {
  await withPage(folder, mode, env, async ({ page, url, told }) => {
    let workers = 0;
    page.setDefaultTimeout(PAGE_MS);
    page.on("worker", () => workers++);
    try {
      const report = page.waitForEvent("download");
      await page.goto(url);
      await page.waitForFunction(() => document.body.innerText.includes("on its way."));
      const text = Buffer.from("A text that can be compressed. ".repeat(100_000));
      const name = `${title}.txt`;
      await page.setInputFiles("input", { name, mimeType: "text/plain", buffer: text });
      await page.waitForFunction(() => document.body.innerText.includes("all of its 3,100,000 bytes"));
      await report;
      const isSaved = readFileSync(join(folder, "inbox", name)).equals(text);
      const good = isSaved && workers > 0 && told.length === 0;
      note(good, `the README's lines for a web page: ${title}`, `${workers} workers\n${told.join("\n")}`);
    } catch (error) {
      note(false, `the README's lines for a web page: ${title}`, `${error.message}\n${told.join("\n")}`);
    }
  });
}
