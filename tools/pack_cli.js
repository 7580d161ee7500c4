// node tools/pack_cli.js [FOLDER]: packs the command for npm, as @millrace/cli, into a folder, by default the project's.
import process from "node:process";
import { resolve } from "node:path";
import { packCli } from "./lib/checks/cli_pack.js";
import { root } from "./lib/runtime.js";

try {
  console.log(await packCli(resolve(process.argv[2] ?? root)));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
