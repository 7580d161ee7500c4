import type { Progress } from "millrace";
import { type Bar, Bars } from "./bars.ts";
import type { CliEvent } from "./events.ts";
import { Failure } from "./failure.ts";
import { printableLine } from "./printable.ts";
import type { Output as Stream } from "./surroundings.ts";

export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
}

/** A transfer under way. */
export interface Transfer {
  progress(progress: Progress): void;
  /** However it went. */
  end(): void;
}

/** Where everything that is told goes: results to stdout, in lines or as JSON; the rest to stderr. */
export class Output {
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  #bars: Bars | undefined;
  /** Results go to stderr, as stdout carries bytes. */
  resultsAside = false;
  /** Called around each line that is printed: a prompt makes way. */
  around: (print: () => void) => void = (print) => print();
  /** Told when nobody reads stdout any more. */
  onClosed: (failure: Failure) => void = () => {};

  constructor(stdout: Stream, stderr: Stream, { json = false, quiet = false }: OutputOptions) {
    this.json = json;
    this.#quiet = quiet;
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on("error", this.#stdoutFailed);
    stderr.on("error", ignore);
  }

  /** Bars are drawn from here on, where they can be seen. */
  async showBars(): Promise<void> {
    if (this.#stderr.isTTY === true && !this.json && !this.#quiet) this.#bars = await Bars.load(this.#stderr);
  }

  /** What happened, for programs. */
  event(event: CliEvent): void {
    if (this.json) this.#write(this.#stdout, JSON.stringify(event));
  }

  /** What happened, for people. */
  line(line: string): void {
    if (!this.json) this.#write(this.resultsAside ? this.#stderr : this.#stdout, line);
  }

  /** What is good to know. */
  notice(line: string): void {
    if (!this.json && !this.#quiet) this.#write(this.#stderr, line);
  }

  failure({ code, message, hint }: Failure, about: { file?: string; from?: string } = {}): void {
    this.event({ event: "error", code, message, ...(hint === undefined ? {} : { hint }), ...about });
    this.#write(this.#stderr, printableLine(message));
    if (hint !== undefined) this.#write(this.#stderr, `  ${hint}`);
  }

  transfer(direction: "send" | "receive", file: string, total: number | undefined, identity?: string): Transfer {
    const bar: Bar | undefined = this.#bars?.start(identity === undefined ? file : `${identity}: ${file}`, total);
    const whose = identity === undefined ? {} : { identity };
    return {
      progress: (progress) => {
        bar?.update(progress);
        this.event({ event: "progress", direction, file, ...whose, ...progress });
      },
      end: () => bar?.end(),
    };
  }

  /** Writes bytes to stdout; resolves when they have gone on, rejects when they cannot, or with the signal's reason. */
  bytes(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", abort);
      this.#stdout.write(chunk, (error) => {
        signal.removeEventListener("abort", abort);
        if (error) reject(closedOutput(error));
        else resolve();
      });
    });
  }

  /** Resolves when all has gone on, or can go nowhere. */
  async close(): Promise<void> {
    this.#bars?.stop();
    await Promise.all([this.#stdout, this.#stderr].map(flushed));
    this.#stdout.off("error", this.#stdoutFailed);
    this.#stderr.off("error", ignore);
  }

  readonly #stdoutFailed = (error: Error): void => this.onClosed(closedOutput(error));

  #write(stream: Stream, line: string): void {
    if (stream.destroyed) return;
    if (this.#bars?.drawn === true && stream.isTTY === true) this.#bars.line(line);
    else this.around(() => void stream.write(`${line}\n`));
  }
}

function flushed(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}

function closedOutput(cause: Error): Failure {
  const why = (cause as NodeJS.ErrnoException).code === "EPIPE" ? "nobody reads it any more" : cause.message;
  return new Failure("output-closed", `Cannot write to stdout as ${why}`, { cause });
}

function ignore(): void {}
