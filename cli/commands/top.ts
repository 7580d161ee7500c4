// millrace top: shows the stats of a program's runtime, or of the command's own in a room.
import { connect, type Socket } from "node:net";
import type { RuntimeStats } from "millrace";
import { codeOf, EXIT, Failure, toFailure } from "../failure.ts";
import type { CliEnvironment, CliOutputStream } from "../environment.ts";
import type { Output } from "../output/output.ts";
import { Screen } from "../output/screen.ts";
import { statsLines } from "../output/stats_table.ts";
import { inSession, type Invocation } from "../room/session.ts";

/** Time for other participants to introduce themselves before the only look, in ms. */
const FIRST_LOOK_MS = 1_000;

/** Time for a program to answer on its socket, in ms. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Longest stats that are read, in characters. */
const MOST_CHARACTERS = 64_000_000;

/** Size of a screen that does not tell its own. */
const COLUMNS = 100;
const ROWS = 40;

/** Options of `millrace top`. */
export interface TopTask {
  readonly socket?: string;
  /** Time between two looks, in seconds. */
  readonly interval: number;
  readonly json: boolean;
}

/** Takes one look; undefined once there is nothing more to see. */
type Look = () => Promise<RuntimeStats>;

/** Shows the stats that a program serves on a socket. Resolves with the exit code. */
export async function topOfSocket(
  path: string,
  task: TopTask,
  { stdout, signal }: CliEnvironment,
  output: Output,
): Promise<number> {
  const source = new StatsSocket(path);
  const ending = new AbortController();
  const interrupt = (): void => ending.abort(signal.reason);
  signal.addEventListener("abort", interrupt);
  if (signal.aborted) interrupt();
  output.onClosed = (failure) => ending.abort(failure);
  try {
    return await untilInterrupted(show(task, () => source.next(), stdout, output, ending.signal), ending.signal);
  } finally {
    signal.removeEventListener("abort", interrupt);
    output.onClosed = () => {};
    source.close();
  }
}

/** Joins the room, and shows what it sees there. Resolves with the exit code. */
export async function topOfRoom(task: TopTask, invocation: Invocation): Promise<number> {
  const { environment: { stdout, signal }, output } = invocation;
  const work = inSession(invocation, { topic: "" }, async ({ runtime, signal: ending }) => {
    if (!isRefreshed(task, stdout)) await pause(FIRST_LOOK_MS, ending);
    return await show(task, () => Promise.resolve(runtime.stats()), stdout, output, ending);
  });
  return await untilInterrupted(work, signal);
}

/** Shows looks on a terminal until the signal; elsewhere one. */
async function show(task: TopTask, look: Look, stdout: CliOutputStream, output: Output, signal: AbortSignal): Promise<number> {
  if (!isRefreshed(task, stdout)) {
    const stats = await unlessAborted(look(), signal);
    output.event({ event: "stats", stats });
    output.line(statsLines(stats, { columns: stdout.columns ?? COLUMNS, rows: Infinity }).join("\n"));
    return EXIT.ok;
  }
  const screen = new Screen(stdout);
  try {
    for (;;) {
      const stats = await unlessAborted(look(), signal);
      screen.draw(statsLines(stats, { columns: stdout.columns ?? COLUMNS, rows: stdout.rows ?? ROWS }));
      await pause(task.interval * 1_000, signal);
    }
  } finally {
    screen.close();
  }
}

/** Whether the table is drawn again and again. */
function isRefreshed({ json }: TopTask, { isTTY }: CliOutputStream): boolean {
  return isTTY === true && !json;
}

/** Takes Ctrl-C as the end of the work: there is no other. */
async function untilInterrupted(work: Promise<number>, signal: AbortSignal): Promise<number> {
  try {
    return await work;
  } catch (error) {
    const failure = toFailure(signal.aborted ? signal.reason : error);
    if (failure.exitCode === EXIT.SIGINT) return EXIT.ok;
    throw failure;
  }
}

/** Settles as the work does. Rejects with the signal's reason once that is aborted. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await unlessAborted(new Promise<void>((resolve) => void (timer = setTimeout(resolve, ms))), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Client of a program's stats. */
class StatsSocket {
  readonly #path: string;
  #socket: Socket | undefined;
  #text = "";
  #failure: Failure | undefined;
  #changed: () => void = () => {};

  constructor(path: string) {
    this.#path = path;
  }

  /** Asks for the stats; the first come unasked. Rejects with a Failure. */
  async next(): Promise<RuntimeStats> {
    if (this.#socket === undefined) this.#open();
    else this.#socket.write("\n");
    const timer = setTimeout(() => this.#fail("nothing came in time"), ANSWER_TIMEOUT_MS);
    try {
      while (!this.#text.includes("\n")) {
        if (this.#failure !== undefined) throw this.#failure;
        await new Promise<void>((resolve) => void (this.#changed = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return this.#read(line);
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): void {
    this.#socket = connect(this.#path);
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text: string) => {
      this.#text += text;
      if (this.#text.length > MOST_CHARACTERS) this.#fail("it sends too much");
      this.#changed();
    });
    this.#socket.on("error", (error) => this.#fail(REASONS[codeOf(error) ?? ""] ?? error.message, error));
    this.#socket.on("close", () => this.#fail("the program has ended"));
  }

  #read(line: string): RuntimeStats {
    try {
      const stats = JSON.parse(line) as Partial<RuntimeStats> | null;
      if (Array.isArray(stats?.peers) && Array.isArray(stats.open) && Array.isArray(stats.ended)) return stats as RuntimeStats;
    } catch {
      // as for JSON of another form
    }
    throw new Failure("connection", `Cannot show the stats as the socket must be one of serveStats: path is "${this.#path}"`);
  }

  #fail(reason: string, cause?: Error): void {
    this.#failure ??= new Failure("connection", `Cannot show the stats as ${reason}: path is "${this.#path}"`, {
      cause,
      hint: "A program serves them by serveStats(runtime, path) of millrace/diagnostics",
    });
    this.#changed();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket",
  ECONNREFUSED: "no program listens on the socket",
  EACCES: "the socket is another user's",
};
