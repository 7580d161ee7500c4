// The command as a process of its own, on the runtime that runs the test, as its users run it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import { programCommand } from "../../../bench/support/program_command.ts";

const running = new Set<CliProgram>();

export class CliProgram {
  readonly child: ChildProcessWithoutNullStreams;
  /** Exit code, once all output is there. */
  readonly ended: Promise<number | null>;
  out = "";
  err = "";
  readonly #watchers = new Set<() => void>();

  constructor(argv: readonly string[], { env = {}, cwd }: { env?: Record<string, string>; cwd?: string } = {}) {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LIVEKIT_.*|NODE_ENV)$/.test(name)));
    const [program, ...args] = programCommand("cli/main", ...argv);
    this.child = spawn(program, args, {
      env: { ...inherited, NO_COLOR: "1", ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.child.stdin.on("error", () => {}); // it may end before it has read all
    this.child.stdout.setEncoding("latin1").on("data", (text: string) => this.#printed(() => void (this.out += text)));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => this.#printed(() => void (this.err += text)));
    running.add(this);
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject).once("close", (code) => {
        running.delete(this);
        this.#printed(() => {});
        resolve(code);
      });
    });
  }

  /** Not by child.kill(): after that, Deno gives the signal instead of the exit code. */
  signal(signal: "SIGINT" | "SIGTERM"): void {
    process.kill(this.child.pid ?? NaN, signal);
  }

  /** Resolves when that was printed on stdout or stderr. Rejects if the program ends without. */
  async printed(what: string | RegExp): Promise<void> {
    const found = (): boolean =>
      [this.out, this.err].some((text) => typeof what === "string" ? text.includes(what) : what.test(text));
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const ended = !running.has(this);
        if (!found() && !ended) return;
        this.#watchers.delete(look);
        if (found()) resolve();
        else reject(new Error(`It ended without "${what}":\n${this.out}\n${this.err}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  #printed(note: () => void): void {
    note();
    for (const look of [...this.#watchers]) look();
  }
}

/** Ends programs that a failed test has left. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map(async (program) => {
    program.child.kill("SIGKILL");
    await program.ended;
  }));
}
