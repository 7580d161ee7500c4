// npm run bench:livekit | bun --bun run bench:livekit | deno task bench:livekit: the benchmark in rooms, on the runtime that was asked. A
// LiveKit server is built where there is none; without Python its SDK is left out.
import { launchInRooms } from "./lib/launch_in_rooms.js";

await launchInRooms("bench/livekit/main.ts", "Millrace benchmark in rooms");
