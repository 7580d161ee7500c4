// npm run bench:browser
// Runs the benchmark of web pages, on Node. Builds a missing LiveKit server; Chromium must be there.
import { launchInRooms } from "../lib/launch_in_rooms.js";

await launchInRooms("bench/browser/main.ts", "Millrace benchmark in pages", ["livekit", "chromium"]);
