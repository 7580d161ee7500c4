// npm run bench:links | bun --bun run bench:links | deno task bench:links
// Runs the benchmark over simulated lines, on the runtime that runs this. Builds a missing LiveKit server; skips a missing Python.
import { launchInRooms } from "../lib/launch_in_rooms.js";

await launchInRooms("bench/links/main.ts", "Millrace benchmark over lines");
