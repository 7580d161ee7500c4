// npm start [-- --livekit] | bun --bun run start | deno task start: the demonstration, on the runtime that was asked. With --livekit in a
// room of a LiveKit server: the one that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name, or else one of its own.
import process from "node:process";
import { launch } from "./lib/launch.js";

const server = process.argv.includes("--livekit") ? await provideServer() : undefined;
try {
  if (process.exitCode === undefined) await launch("examples/demo.ts", "Millrace demo");
} finally {
  await server?.kill();
}

/** Undefined where the environment names one, or where none can be had: that is told, and is the exit code. */
async function provideServer() {
  process.env.NODE_ENV ??= "production"; // else LiveKit's SDK logs to stdout
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
