// An example as its users run it: a process with all that it starts. It can be stopped as by a terminal's Ctrl-C.
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
  /** Exit code, once all output is there. Null if a signal has ended the program: then `err` names the signal. */
  readonly ended: Promise<number | null>;
  out = "";
  err = "";
  #running = true;
  readonly #watchers = new Set<() => void>();

  /** Variables that name a server or change the SDK's logs are passed from `env` only. */
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

  /** Output on stderr without the logs of LiveKit's native library. */
  get complaints(): string {
    return this.err.split("\n").filter((line) => !/^\[[\d-]+T[\d:.]+Z /.test(line)).join("\n");
  }

  /** Signals the program alone, as `kill` does, or its whole group, as Ctrl-C does. */
  signal(signal: NodeJS.Signals, to: "program" | "group" = "program"): void {
    process.kill(to === "group" ? -this.pid : this.pid, signal);
  }

  /** Resolves when that was printed. Rejects if the program ends without. */
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

  /** Resolves when no process of the group is left. The test's limit bounds the wait. */
  async leftNothing(): Promise<void> {
    while (this.#isGroupAlive()) await wait(10);
  }

  /** Kills the rest of the group. */
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
