// npm run bench:livekit | bun --bun run bench:livekit | deno task bench:livekit
// Runs the benchmark in rooms, on the runtime that runs this. Builds a missing LiveKit server; skips a missing Python.
import { launchInRooms } from "../lib/launch_in_rooms.js";

await launchInRooms("bench/livekit/main.ts", "Millrace benchmark in rooms");
