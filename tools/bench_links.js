// npm run bench:links | bun --bun run bench:links | deno task bench:links: the benchmark over lines, on the runtime that was asked. A LiveKit
// server is built where there is none; without Python its SDK is left out.
import { launchInRooms } from "./lib/launch_in_rooms.js";

await launchInRooms("bench/links/main.ts", "Millrace benchmark over lines");
