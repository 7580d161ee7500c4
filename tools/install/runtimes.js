// node tools/install/runtimes.js: installs Bun and Deno in tools/runtimes, and prints the folder that has them.
import process from "node:process";
import { run } from "../lib/processes.js";
import { runtimeProgram, runtimesFolder } from "../lib/runtimes.js";

try {
  const folder = await runtimesFolder();
  for (const name of ["bun", "deno"]) {
    const { code, output } = await run([await runtimeProgram(name), "--version"], { seconds: 60 });
    if (code !== 0) throw new Error(`Cannot run ${name}:\n${output}`);
    console.log(`${name}: ${output.trim().split("\n")[0]}`);
  }
  console.log(folder);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
