// npm run millrace -- ARGUMENTS | bun --bun run millrace ARGUMENTS | deno task millrace ARGUMENTS: runs the command from a clone.
import process from "node:process";
import { launch } from "./lib/launch.js";

process.env.NODE_ENV ??= "production"; // otherwise LiveKit's SDK logs to stdout
await launch("cli/main.ts");
