// npm start [-- [--rate=BYTES_PER_SECOND] FILE], npm start -- --livekit [FILE].
// Demonstration on a hub in this process, or in a room of the server that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name. Without
// these, npm start starts a server. Default of FILE: the running runtime's program, some 100 MB; in a room its first 10 MB. Exits with 1 if
// received data differ from sent data.
import { mkdtemp, open, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createHub } from "../mod.ts"; // in a program of yours: from "millrace"
import { demonstrate, type Task } from "./support/demonstration.ts";

/** Size of the sample for a room, in bytes: the whole program would take half a minute by WebRTC. */
const SAMPLE_BYTES = 10_000_000;

interface Arguments {
  readonly file: string | undefined;
  /** Rate of the link from Alice to Bob, in bytes per second; undefined for no link. */
  readonly rate: number | undefined;
  readonly livekit: boolean;
}

/** Runs the demonstration. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort(new Error("Interrupted"));
  // The handlers are never removed: npm passes on a Ctrl-C that came here too, and the second one must not kill the process.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, interrupt);
  const folder = await mkdtemp(join(tmpdir(), "millrace-demo-"));
  try {
    const args = readArguments(argv);
    const run = args.livekit ? inRoom : onHub;
    const good = await run(args, { folder, signal: interruption.signal });
    interruption.signal.throwIfAborted();
    return good ? 0 : 1;
  } catch (error) {
    if (interruption.signal.aborted) {
      console.error("Interrupted: the streams were aborted, nothing is left behind");
      return 130;
    }
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { rate: { type: "string" }, livekit: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  if (values.livekit && values.rate !== undefined) {
    throw new Error(`Cannot limit the rate as that needs a hub: rate is "${values.rate}"`);
  }
  return {
    file: positionals[0],
    rate: values.rate === undefined ? undefined : Number(values.rate),
    livekit: values.livekit,
  };
}

type TaskOptions = Pick<Task, "folder" | "signal">;

async function onHub({ file, rate }: Arguments, options: TaskOptions): Promise<boolean> {
  const hub = createHub();
  if (rate !== undefined) hub.link("alice", "bob", { kind: "reliable", rate }, { oneWay: true });
  const transports = { alice: hub.join("alice"), bob: hub.join("bob"), carol: hub.join("carol") };
  return await demonstrate({ ...options, transports, file: file ?? await realpath(process.execPath) });
}

async function inRoom({ file }: Arguments, options: TaskOptions): Promise<boolean> {
  const { meetInRoom } = await import("./support/room.ts"); // imported here, so that a hub needs no LiveKit package
  const meeting = await meetInRoom(options.signal);
  try {
    return await demonstrate({
      ...options,
      transports: meeting.transports,
      file: file ?? await sample(options.folder),
    });
  } finally {
    await meeting.leave();
  }
}

/** Makes a file of the beginning of the running runtime's program. */
async function sample(folder: string): Promise<string> {
  const program = await open(process.execPath);
  try {
    const { buffer, bytesRead } = await program.read(new Uint8Array(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
    const path = join(folder, "sample.bin");
    await writeFile(path, buffer.subarray(0, bytesRead));
    return path;
  } finally {
    await program.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
