// npm start [-- [--rate=BYTES_A_SECOND] FILE], npm start -- --livekit [FILE]
// The demonstration on a hub in this process, or in a room of a LiveKit server: the one that LIVEKIT_URL, LIVEKIT_API_KEY and
// LIVEKIT_API_SECRET name (npm start sees to it where they are not set). FILE is by default the program of the running runtime, some
// 100 MB; in a room the first 10 MB of it. Exits with 1 if anything is not as it was sent.
import { mkdtemp, open, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createHub } from "../mod.ts"; // in a program of yours: from "millrace"
import { demonstrate, type Task } from "./support/demonstration.ts";

/** Through WebRTC the whole program would take half a minute. */
const SAMPLE_BYTES = 10_000_000;

interface Arguments {
  readonly file: string | undefined;
  /** Bytes a second of the line from Alice to Bob; undefined: no line at all, packets are handed over. */
  readonly rate: number | undefined;
  readonly livekit: boolean;
}

export async function main(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort(new Error("Interrupted"));
  // For as long as the process lives: npm passes on a Ctrl-C that came here as well, and the second one is not to end it.
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
    throw new Error(`Cannot limit the rate in a room of a server: rate is "${values.rate}"`);
  }
  return {
    file: positionals[0],
    rate: values.rate === undefined ? undefined : Number(values.rate),
    livekit: values.livekit,
  };
}

type Surroundings = Pick<Task, "folder" | "signal">;

async function onHub({ file, rate }: Arguments, surroundings: Surroundings): Promise<boolean> {
  const hub = createHub();
  if (rate !== undefined) hub.link("alice", "bob", { kind: "reliable", rate }, { oneWay: true });
  const transports = { alice: hub.join("alice"), bob: hub.join("bob"), carol: hub.join("carol") };
  return await demonstrate({ ...surroundings, transports, file: file ?? await realpath(process.execPath) });
}

async function inRoom({ file }: Arguments, surroundings: Surroundings): Promise<boolean> {
  const { meetInRoom } = await import("./support/room.ts"); // only here, so that no LiveKit package is loaded, or needed, on a hub
  const meeting = await meetInRoom(surroundings.signal);
  try {
    return await demonstrate({
      ...surroundings,
      transports: meeting.transports,
      file: file ?? await sample(surroundings.folder),
    });
  } finally {
    await meeting.leave();
  }
}

/** The beginning of the running runtime's program, as a file. */
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
