// Demonstration with a page: serves examples/web, and runs the agent of examples/livekit_agent.ts until Ctrl-C.
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { RoomServiceClient } from "livekit-server-sdk";
import { launch } from "./launch.js";
import { root, runtimeLabel } from "./runtime.js";
import { openBrowser, serveWebPage } from "./web_page.js";

/** Runs the demonstration in a room of the LiveKit server that the environment names. */
export async function runWebDemo() {
  const room = `millrace-demo-${randomUUID()}`;
  const inbox = join(tmpdir(), `millrace-inbox-${randomUUID()}`); // made when the first file comes
  process.env.LIVEKIT_ROOM = room;
  let page;
  try {
    console.log(`Millrace demo on ${runtimeLabel}`);
    page = await serveWebPage();
    console.log(`Open ${page.url} in a browser, and beside it ${page.url}?as=bystander\nCtrl-C ends it`);
    openBrowser(page.url);
    await launch("examples/livekit_agent.ts", undefined, ["--room", room, "--report", report, "--inbox", inbox]);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await page?.close();
    await deleteRoom(room);
    await rm(inbox, { recursive: true, force: true });
  }
}

const report = join(root, "docs", "figures.md");

/** Deletes the room, so that pages learn at once that it has ended. */
async function deleteRoom(room) {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret } = process.env;
  try {
    await new RoomServiceClient(url.replace(/^ws/, "http"), key, secret).deleteRoom(room);
  } catch {
    // Without a participant there was no room; and a server that has gone needs no request.
  }
}
