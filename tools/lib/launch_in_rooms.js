// Start of a program that needs a LiveKit server and can use Python.
import process from "node:process";
import { launch } from "./launch.js";
import { provide } from "./programs/needs.js";
import { HOW_TO_GET } from "./programs/programs.js";

/** Runs a program of the project in this process, with the variables of foreign programs. Only Python may be missing. */
export async function launchInRooms(source, title, programs = ["livekit", "python"]) {
  const { env, missing } = await provide(programs, console.log);
  for (const [name, why] of missing) console.error(`${name}: ${why}\nGet it by ${HOW_TO_GET}`);
  if ([...missing.keys()].some((name) => name !== "python")) process.exitCode = 1;
  else {
    Object.assign(process.env, env);
    await launch(source, title);
  }
}
