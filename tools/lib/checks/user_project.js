// Projects of new users, who follow the README: its lines, the pack, and pages in Chromium.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { buildIfStale } from "../build.js";
import { mustRun } from "../processes.js";
import { needed } from "../programs/programs.js";
import { executable, root } from "../runtime.js";
import { startGuarded, untilReady } from "../servers/guarded.js";
import { freePort } from "../servers/ports.js";
import { tally } from "../tally.js";

const VITE_CONFIG = `import { answerToken } from "./token.js";
const token = ({ middlewares }) => void middlewares.use("/token", answerToken);
export default { plugins: [{ name: "token", configureServer: token, configurePreviewServer: token }] };
`;

/**
 * Runs `main` with an empty folder and a list of programs; both are gone afterwards.
 * @param {(folder: string, programs: { kill(): Promise<void> }[]) => Promise<void>} main
 */
export async function inUserProject(main) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-user-"));
  const programs = [];
  await tally(() => main(folder, programs), async () => {
    for (const program of programs.reverse()) await program.kill();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Makes Millrace's pack in a folder; returns its path. */
export async function packInto(folder) {
  await buildIfStale();
  await mustRun(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")));
}

/**
 * Code blocks and commands of npm of a section of the README, by its heading: "## In a browser". Throws without blocks, or if there are not
 * as many as `count`.
 */
export function linesOf(heading, count) {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const [, section] = text.split(`\n${heading}\n`);
  if (section === undefined) throw new Error(`Cannot find the lines as README.md must have the heading "${heading}"`);
  const [own] = section.split(/^##+ /m);
  const blocks = [...own.matchAll(/^```ts no-run\n([^]*?)^```/gm)].map(([, code]) => code);
  const commands = [...own.matchAll(/^```\n(npm [^]*?)^```/gm)].flatMap(([, lines]) => lines.trim().split("\n"));
  if (blocks.length === 0 || blocks.length !== (count ?? blocks.length)) {
    throw new Error(
      `Cannot find the lines as README.md must have ${count ?? "some"} code blocks below "${heading}": has ${blocks.length}`,
    );
  }
  return { blocks, commands: commands.filter((line) => line.startsWith("npm ")) };
}

/** Makes an empty project by the README's commands. Returns its folder, and the seconds since the first command, whenever it is asked. */
export async function projectBy(commands, home) {
  if (commands.length === 0) throw new Error("Cannot make the project as README.md must have commands of npm for it");
  const pack = await packInto(home);
  const folder = join(home, "project");
  mkdirSync(folder);
  const begun = performance.now();
  for (const command of commands) {
    await mustRun(["/bin/sh", "-c", command.replace(/PATH\/\S+/, pack)], { cwd: folder, seconds: 300 });
  }
  return { folder, seconds: () => ((performance.now() - begun) / 1000).toFixed(1) };
}

/** Adds Vite's configuration, which serves tokens by a copy of examples/web/token.js. */
export function addViteConfig(folder) {
  copyFileSync(join(root, "examples", "web", "token.js"), join(folder, "token.js"));
  writeFileSync(join(folder, "vite.config.js"), VITE_CONFIG);
}

/**
 * Opens the page that Vite serves for a folder in Chromium, and passes it to `body` with its errors and their details.
 * @param {readonly string[]} mode Arguments of Vite before the folder, such as "preview".
 */
export async function withPage(folder, mode, env, body) {
  const port = await freePort();
  const vite = [executable, join(folder, "node_modules", "vite", "bin", "vite.js"), ...mode, folder];
  const server = startGuarded([...vite, "--host", "127.0.0.1", "--port", String(port), "--strictPort"], { env });
  const url = `http://127.0.0.1:${port}/`;
  let browser;
  try {
    await untilReady(server, "Vite", async () => (await fetch(url).catch(() => undefined))?.ok === true, 60);
    browser = await chromium.launch({
      executablePath: needed("chromium"),
      args: ["--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"],
    });
    const page = await browser.newPage();
    const told = [];
    page.on("pageerror", (error) => told.push(error.message));
    page.on("console", (message) => message.text().startsWith("millrace:") && told.push(message.text()));
    await body({ page, url, told });
  } finally {
    await browser?.close();
    await server.kill();
  }
}
