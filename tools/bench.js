// npm run bench | bun --bun run bench | deno task bench: the benchmark, on the runtime that was asked.
import { launch } from "./lib/launch.js";

await launch("bench/main.ts", "Millrace benchmark");
