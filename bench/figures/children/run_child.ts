// Starts a measurement in a process of its own, on the runtime that runs this.
import { spawn } from "node:child_process";
import process from "node:process";
import { programFile } from "../../support/program_command.ts";
import { runtimeName } from "../../report.ts";

/** Time-out of a measurement, in ms. */
const CHILD_MS = 120_000;

/** Runs bench/figures/children/<name>, source or compiled as this file is, and returns the JSON of its last line. */
export async function runChild<T>(
  name: string,
  args: readonly string[],
  denoPermissions: readonly string[] = ["-A"],
): Promise<T> {
  const command = [
    ...runtimeName === "deno" ? ["run", "--no-prompt", ...denoPermissions] : [],
    programFile(`bench/figures/children/${name}`),
    ...args,
  ];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"], timeout: CHILD_MS });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`Cannot measure as the process failed: code is ${code}, name is "${name}"`);
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as T;
}
