// A child process that takes commands, and gives answers and events, as JSON lines: the other end of the pipe of json_lines.js.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** Longest tidy end, in ms. */
const END_MS = 8_000;
/** Number of characters of standard error, the last ones, that the message of an early end shows. */
const KEPT_ERRORS = 4_000;

interface Answer {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export interface ProcessOptions {
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Message of an error, from the reason. */
  readonly describe: (what: "ended" | "failed", why: string) => string;
}

/** The process ends with its input, so that it cannot outlive this one. */
export class JsonLinesProcess<Event extends { readonly event: string }> {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #describe: ProcessOptions["describe"];
  readonly #gone: Promise<void>;
  readonly #answers = new Map<number, Answer>();
  readonly #events: Event[] = [];
  readonly #waiting = new Set<() => void>();
  #commands = 0;
  #errors = "";
  /** Reason why no more answers and events will come. */
  #over: Error | undefined;

  constructor({ command: [program, ...args], env = {}, cwd, describe }: ProcessOptions) {
    this.#describe = describe;
    this.#child = spawn(program, args, {
      env: { ...process.env, NODE_ENV: "production", ...env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdin.on("error", () => {}); // the process has ended, which its "close" tells
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#errors = (this.#errors + text).slice(-KEPT_ERRORS));
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#take(line));
    this.#gone = new Promise((resolve) => {
      const over = (why: string): void => {
        this.#end(new Error(`${describe("ended", why)}\n${this.#errors}`));
        resolve();
      };
      this.#child.once("error", (error) => over(error.message));
      this.#child.once("close", (code, signal) => over(`code is ${code}, signal is ${signal}`));
    });
  }

  /** Last part of the standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Sends a command. Resolves with the answer. */
  ask(command: string, input: object = {}): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const id = ++this.#commands;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, command, ...input })}\n`);
    });
  }

  /** Next event of a kind that was not asked for yet. Rejects when the process ends. */
  async next<Name extends Event["event"]>(name: Name): Promise<Extract<Event, { event: Name }>> {
    for (;;) {
      const found = this.#events.findIndex(({ event }) => event === name);
      const [next] = found < 0 ? [] : this.#events.splice(found, 1);
      if (next !== undefined) return next as Extract<Event, { event: Name }>;
      if (this.#over !== undefined) throw this.#over;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Events of a kind that have come and were not asked for; they stay. */
  seen<Name extends Event["event"]>(name: Name): Extract<Event, { event: Name }>[] {
    return this.#events.filter((one): one is Extract<Event, { event: Name }> => one.event === name);
  }

  /** Ends the process by the end of its input. Idempotent. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.#gone;
    clearTimeout(limit);
  }

  /** Ends the process at once, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  /** Lines that are no message are the SDK's log. */
  #take(line: string): void {
    const message = parsed(line);
    if (typeof message?.["event"] === "string") {
      this.#events.push(message as unknown as Event);
      this.#wake();
    } else if (typeof message?.["id"] === "number") {
      const answer = this.#answers.get(message["id"]);
      this.#answers.delete(message["id"]);
      if (typeof message["error"] === "string") answer?.reject(new Error(this.#describe("failed", message["error"])));
      else answer?.resolve(message["result"]);
    }
  }

  #end(error: Error): void {
    this.#over ??= error;
    for (const answer of this.#answers.values()) answer.reject(this.#over);
    this.#answers.clear();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
