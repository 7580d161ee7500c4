// npm run bench | bun --bun run bench | deno task bench: runs the benchmark on the runtime that runs this.
import { launch } from "../lib/launch.js";

await launch("bench/main.ts", "Millrace benchmark");
