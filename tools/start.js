// npm start | bun --bun run start | deno task start: the demonstration, on the runtime that was asked.
import { launch } from "./lib/launch.js";

await launch("examples/demo.ts", "Millrace demo");
