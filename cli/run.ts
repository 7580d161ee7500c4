import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readArguments, type Request } from "./arguments.ts";
import { chat } from "./commands/chat.ts";
import { readCredentials } from "./room/credentials.ts";
import { toFailure } from "./failure.ts";
import { Output } from "./output/output.ts";
import { receive } from "./commands/receive.ts";
import { send } from "./commands/send.ts";
import { doctor } from "./commands/doctor.ts";
import { topOfRoom, topOfSocket } from "./commands/top.ts";
import type { CliEnvironment } from "./environment.ts";

/** Runs the command. Resolves with the exit code; never rejects. */
export async function run(argv: readonly string[], environment: CliEnvironment): Promise<number> {
  const { stdout, stderr } = environment;
  const json = argv.includes("--json"); // also if the arguments cannot be read
  let output = new Output(stdout, stderr, { json });
  try {
    const request = readArguments(argv, {
      version: version(),
      out: (text) => void stdout.write(text),
      err: (text) => void stderr.write(text),
    });
    if (typeof request === "number") return request;
    await output.close();
    output = new Output(stdout, stderr, request.output);
    return await perform(request, environment, output);
  } catch (error) {
    const failure = toFailure(error);
    output.failure(failure);
    return failure.exitCode;
  } finally {
    await output.close();
  }
}

async function perform(request: Request, environment: CliEnvironment, output: Output): Promise<number> {
  if (request.command === "top" && request.task.socket !== undefined) {
    return await topOfSocket(request.task.socket, request.task, environment, output);
  }
  const credentials = readCredentials(request.connection, environment.env);
  try {
    const invocation = { environment, credentials, output };
    if (request.command === "send") return await send(request.task, invocation);
    if (request.command === "receive") return await receive(request.task, invocation);
    if (request.command === "top") return await topOfRoom(request.task, invocation);
    if (request.command === "doctor") return await doctor(request.task, invocation);
    return await chat(request.task, invocation);
  } finally {
    if (request.command !== "receive") environment.stdin.destroy(); // an open terminal or pipe would keep the process alive
  }
}

/** Reads the version of the nearest manifest: the package's own, or in a clone the project's, which is the same. */
function version(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
