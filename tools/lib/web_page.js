// Page of examples/web: a bundle by esbuild, which the clone has, and a server of what is in memory. Vite would be 35 MB more.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, extname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { build, stop } from "esbuild";
import { root } from "./runtime.js";
import { freePort, isFreeTcp } from "./servers/ports.js";

/** Usual port. A browser keeps the page's files by its port. */
const PORT = 4173;

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

/** Headers of a page whose workers share memory with it, and all that the page needs to be allowed. */
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Content-Security-Policy": "script-src 'self'; worker-src 'self'",
};

const folder = join(root, "examples", "web");

/** Bundles the page and serves it on 127.0.0.1. Resolves with its address, and a function that ends the server. */
export async function serveWebPage() {
  const files = await filesOfPage();
  const { answerToken } = await import(pathToFileURL(join(folder, "token.js")).href);
  const port = await isFreeTcp(PORT) ? PORT : await freePort();
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://page").pathname.replace(/^\/$/, "/index.html");
    const body = files.get(path.slice(1));
    if (path === "/token") void answerToken(request, response);
    else if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[extname(path)] }).end(body);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}

/** Contents of the page's files by name. The worker's program is beside the page's, where the page looks for it. */
async function filesOfPage() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { main: "examples/web/main.ts", entry: "workers/browser/entry.js" },
    alias: {
      "millrace": "./browser.ts",
      "millrace/browser": "./browser.ts",
      "millrace/livekit": "./transports/livekit_client/mod.ts",
    },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: folder,
    write: false,
  });
  await stop();
  const bundles = outputFiles.map(({ path, contents }) => [basename(path), contents]);
  const html = (await readFile(join(folder, "index.html"), "utf8")).replace("./main.ts", "./main.js");
  return new Map([...bundles, ["index.html", html], ["style.css", await readFile(join(folder, "style.css"))]]);
}

/** Opens a page in the user's browser, if there may be one and the user sits at a terminal. */
export function openBrowser(url) {
  const { platform, env, stdout } = process;
  const hasScreen = platform === "darwin" || platform === "win32" || env.DISPLAY || env.WAYLAND_DISPLAY;
  if (!stdout.isTTY || !hasScreen || env.CI) return;
  const [program, ...args] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[platform] ?? ["xdg-open"];
  spawn(program, [...args, url], { stdio: "ignore", detached: true }).on("error", () => {}).unref(); // the address was printed too
}
