// npm run bench:livekit | bun --bun run bench:livekit | deno task bench:livekit: the benchmark in rooms, on the runtime that was asked. A
// LiveKit server is built where there is none; without Python its SDK is left out.
import process from "node:process";
import { launch } from "./lib/launch.js";
import { provide } from "./lib/needs.js";
import { HOW_TO_GET } from "./lib/programs.js";

const { env, missing } = await provide(["livekit", "python"], console.log);
for (const [name, why] of missing) console.error(`${name}: ${why}\nGet it by ${HOW_TO_GET}`);
if (missing.has("livekit")) process.exitCode = 1;
else {
  Object.assign(process.env, env);
  await launch("bench/livekit/main.ts", "Millrace benchmark in rooms");
}
