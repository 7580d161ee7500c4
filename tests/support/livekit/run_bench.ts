// A benchmark in rooms, run as a user would.
import { spawn } from "node:child_process";
import { programCommand } from "../../../bench/support/program_command.ts";

/** Output of the benchmark. Rejects, with that output in the message, when it fails or takes longer. */
export async function runBench(folder: "livekit" | "links" | "browser", seconds: number, ...args: string[]): Promise<string> {
  const [program, ...rest] = programCommand(`bench/${folder}/main`, ...args);
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: seconds * 1000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => output += text);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`Cannot test the benchmark as it failed: exit code is ${code}\n${output}`);
  return output;
}
