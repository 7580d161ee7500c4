// npm run agent -- --room lobby | bun --bun run agent | deno task agent: the example agent in a room of the LiveKit server that the
// environment names, on the runtime that was asked.
import process from "node:process";
import { launch } from "./lib/launch.js";

process.env.NODE_ENV ??= "production"; // else LiveKit's SDK logs to stdout
await launch("examples/livekit_agent.ts", "Millrace agent");
