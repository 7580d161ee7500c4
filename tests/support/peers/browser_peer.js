// CHROMIUM=PROGRAM node browser_peer.js: a participant in a page of headless Chromium that uses livekit-client as its users do.
// A server of this process on 127.0.0.1 has the page.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";
import { chromium } from "playwright-core";
import { emit, serve } from "../../../bench/support/json_lines.js";
import { CHROMIUM_FLAGS } from "../../../bench/support/chromium_flags.js";

const require = createRequire(import.meta.url);

const COMMANDS = [
  "connect",
  "participants",
  "listen",
  "sendText",
  "sendBytes",
  "streamText",
  "streamBytes",
  "sendFile",
  "publishData",
  "performRpc",
  "answerRpc",
  "disconnect",
];

const FILES = {
  "/": ["text/html", "page.html"],
  "/page.js": ["text/javascript", "page.js"],
  "/contents.js": ["text/javascript", "contents.js"],
  "/options.js": ["text/javascript", "options.js"],
  "/room_commands.js": ["text/javascript", "room_commands.js"],
  "/livekit-client.js": ["text/javascript", require.resolve("livekit-client")],
};

let browser;
const server = createServer((request, response) => void respond(request, response));
const page = start();
page.catch(() => {}); // told to whoever asks first

const command = (name) => async (input) =>
  await (await page).evaluate(([called, given]) => globalThis.peer[called](given), [name, input]);
serve(Object.fromEntries(COMMANDS.map((name) => [name, command(name)])), async () => {
  await page.catch(() => {});
  await browser?.close();
  server.close();
});

async function start() {
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: [...CHROMIUM_FLAGS], headless: true });
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.error(error));
  tab.on("console", (message) => {
    if (message.type() === "error") console.error(message.text());
  });
  await tab.exposeFunction("emit", emit);
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.waitForFunction(() => globalThis.peer !== undefined);
  return tab;
}

async function respond(request, response) {
  const file = FILES[request.url];
  if (file === undefined) return response.writeHead(404).end();
  const [type, path] = file;
  try {
    const body = await readFile(path.startsWith("/") ? path : new URL(path, import.meta.url));
    response.writeHead(200, { "content-type": type }).end(body);
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
}
