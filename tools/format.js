// npm run format: formats every source.
import process from "node:process";
import { run } from "./lib/processes.js";
import { runtimeProgram } from "./lib/runtimes.js";

const { code, output } = await run([await runtimeProgram("deno"), "fmt"]);
console.log(output.trim());
process.exitCode = code;
