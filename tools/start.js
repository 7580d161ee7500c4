// npm start [-- --livekit | --web] | bun --bun run start | deno task start: runs the demonstration on the runtime that runs this.
// With --livekit it takes place in a room of the server that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name, or of its own server.
// With --web likewise, between an agent of this process and a page; see lib/web_demo.js.
import process from "node:process";
import { launch } from "./lib/launch.js";

const isWeb = process.argv.includes("--web");
const server = isWeb || process.argv.includes("--livekit") ? await provideServer() : undefined;
try {
  if (process.exitCode !== undefined) { /* the error was printed */ }
  else if (isWeb) await (await import("./lib/web_demo.js")).runWebDemo();
  else await launch("examples/demo.ts", "Millrace demo");
} finally {
  await server?.kill();
}

/** Starts a LiveKit server. Undefined if the environment names one, or after an error, which is printed and sets the exit code. */
async function provideServer() {
  process.env.NODE_ENV ??= "production"; // otherwise LiveKit's SDK logs to stdout
  if (process.env.LIVEKIT_URL) return undefined;
  try {
    const { startOwnServer } = await import("./lib/servers/own_server.js");
    const { server, env } = await startOwnServer(console.log);
    Object.assign(process.env, env);
    return server;
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
    return undefined;
  }
}
