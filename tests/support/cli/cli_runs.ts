// The command, run in this process over a hub, with streams that are no terminals or pass for one.
import { PassThrough } from "node:stream";
import { interruptedBy } from "../../../cli/failure.ts";
import { run } from "../../../cli/run.ts";
import type { Hub } from "../../../mod.ts";

const CREDENTIALS = ["--room", "office", "--api-key", "key", "--api-secret", "secret"];

export interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface RunOptions {
  /** Contents of stdin, to its end. Without them, stdin stays open. */
  readonly input?: Uint8Array | string;
  /** Whether stderr, or all three streams, are a terminal. */
  readonly terminal?: "stderr" | "all";
  readonly env?: Record<string, string>;
  readonly progressInterval?: number;
  readonly stallTime?: number;
}

/** One run of the command. */
export class CliRun {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  /** The exit code. */
  readonly ended: Promise<number>;
  /** Rooms that the command has joined, and left. */
  readonly rooms = { joined: 0, left: 0 };
  /** Resolves when the command joins its room. */
  readonly joined: Promise<void>;
  #enter: () => void = () => {};
  readonly #out: Uint8Array[] = [];
  readonly #err: Uint8Array[] = [];
  readonly #controller = new AbortController();

  constructor(hub: Hub, argv: readonly string[], { input, terminal, env = {}, ...times }: RunOptions = {}) {
    this.stdout.on("data", (chunk: Uint8Array) => void this.#out.push(chunk));
    this.stderr.on("data", (chunk: Uint8Array) => void this.#err.push(chunk));
    if (terminal !== undefined) Object.assign(this.stderr, { isTTY: true, columns: 120 });
    if (terminal === "all") {
      for (const stream of [this.stdin, this.stdout]) {
        Object.assign(stream, { isTTY: true, columns: 120 });
      }
    }
    if (input !== undefined) this.stdin.end(input);
    this.joined = new Promise((resolve) => this.#enter = resolve);
    this.ended = run(argv, {
      stdin: this.stdin,
      stdout: this.stdout,
      stderr: this.stderr,
      env,
      ...times,
      signal: this.#controller.signal,
      interrupt: () => this.interrupt(),
      connect: ({ identity }) => {
        this.rooms.joined++;
        this.#enter();
        return Promise.resolve({
          transport: hub.join(identity),
          leave: () => Promise.resolve(void this.rooms.left++),
        });
      },
    });
  }

  interrupt(signal: "SIGINT" | "SIGTERM" = "SIGINT"): void {
    this.#controller.abort(interruptedBy(signal));
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#out);
  }

  get out(): string {
    return Buffer.concat(this.#out).toString("utf8");
  }

  get err(): string {
    return Buffer.concat(this.#err).toString("utf8");
  }

  /** Events printed by `--json`. Throws if there is any other output. */
  get lines(): Line[] {
    return this.out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
  }

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  first(event: string): Line {
    const found = this.of(event)[0];
    if (found === undefined) throw new Error(`It has not told of "${event}":\n${this.out}`);
    return found;
  }

  /** Resolves when that was printed. Rejects if the command ends without. */
  async printed(stream: "out" | "err", what: string | RegExp): Promise<void> {
    const found = (): boolean => typeof what === "string" ? this[stream].includes(what) : what.test(this[stream]);
    const source = stream === "out" ? this.stdout : this.stderr;
    let look: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => {
          if (found()) resolve();
        };
        source.on("data", look);
        look();
        this.ended.then(
          () => found() ? resolve() : reject(new Error(`It ended without "${what}":\n${this.out}\n${this.err}`)),
          reject,
        );
      });
    } finally {
      if (look !== undefined) source.off("data", look);
    }
  }
}

/** Starts the command as a participant of the room. */
export function start(hub: Hub, identity: string, argv: readonly string[], options?: RunOptions): CliRun {
  return new CliRun(hub, [...argv, "--identity", identity, ...CREDENTIALS], options);
}
