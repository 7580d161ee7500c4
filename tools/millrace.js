// npm run millrace -- ARGUMENTS | bun --bun run millrace ARGUMENTS | deno task millrace ARGUMENTS: the command of cli/, from a clone.
import process from "node:process";
import { launch } from "./lib/launch.js";

process.env.NODE_ENV ??= "production"; // else LiveKit's SDK logs to stdout
await launch("cli/main.ts");
