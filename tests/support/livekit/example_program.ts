// An example as its users run it: a process of its own, with all that it starts, which is told to stop as by a terminal's Ctrl-C.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import process from "node:process";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

export interface ExampleOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class ExampleProgram implements AsyncDisposable {
  readonly pid: number;
  /** The exit code, once all it has printed is there; null if a signal has ended it, and then `err` says which. */
  readonly ended: Promise<number | null>;
  out = "";
  err = "";
  #running = true;
  readonly #watchers = new Set<() => void>();

  /** Of the variables that name a server or change what LiveKit's SDK logs it sees only those in `env`. */
  constructor(command: readonly [string, ...string[]], { env = {}, cwd }: ExampleOptions = {}) {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(LIVEKIT_(URL|API_KEY|API_SECRET|TOKEN)|NODE_ENV)$/.test(name)),
    );
    const [program, ...args] = command;
    const child: ChildProcessByStdio<null, Readable, Readable> = spawn(program, args, {
      env: { ...inherited, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, as a terminal makes one
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.pid = child.pid ?? NaN;
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#note(() => void (this.out += text)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#note(() => void (this.err += text)));
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject).once("close", (code, signal) => {
        if (signal !== null) this.err += `(ended by ${signal})`;
        this.#note(() => void (this.#running = false));
        resolve(code);
      });
    });
  }

  /** What is on stderr of its own: LiveKit's native library logs there as well. */
  get complaints(): string {
    return this.err.split("\n").filter((line) => !/^\[[\d-]+T[\d:.]+Z /.test(line)).join("\n");
  }

  /** To it alone, as by `kill`, or to its whole group, as by Ctrl-C. */
  signal(signal: NodeJS.Signals, to: "program" | "group" = "program"): void {
    process.kill(to === "group" ? -this.pid : this.pid, signal);
  }

  /** Resolves when it has printed that; rejects if it ends without. */
  async printed(what: RegExp): Promise<string> {
    return await new Promise<string>((resolve, reject) => {
      const look = (): void => {
        const found = what.exec(this.out) ?? what.exec(this.err);
        if (found === null && this.#running) return;
        this.#watchers.delete(look);
        if (found !== null) resolve(found[1] ?? found[0]);
        else reject(new Error(`It ended without ${what}:\n${this.out}\n${this.err}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Resolves when no process is left of all that it has started. The test's limit bounds it. */
  async leftNothing(): Promise<void> {
    while (this.#isGroupAlive()) await wait(10);
  }

  /** Kills what is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGroupAlive()) this.signal("SIGKILL", "group");
    await this.ended;
  }

  #isGroupAlive(): boolean {
    try {
      process.kill(-this.pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  #note(change: () => void): void {
    change();
    for (const look of [...this.#watchers]) look();
  }
}
