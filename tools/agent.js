// npm run agent -- --room lobby | bun --bun run agent | deno task agent.
// Runs the example agent in a room of the LiveKit server that the environment names, on the runtime that runs this.
import process from "node:process";
import { launch } from "./lib/launch.js";

process.env.NODE_ENV ??= "production"; // otherwise LiveKit's SDK logs to stdout
await launch("examples/livekit_agent.ts", "Millrace agent");
