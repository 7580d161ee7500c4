import type { Progress } from "millrace";
import { Bars } from "./bars.ts";
import type { CliOutputStream } from "../environment.ts";
import type { CliEvent } from "./events.ts";
import { Failure } from "../failure.ts";
import { escapedJson, printableLine } from "./printable.ts";
import { transferLabel } from "./progress.ts";
import { ProgressLines } from "./progress_lines.ts";

export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
}

/** A transfer under way. */
export interface Transfer {
  readonly direction: "send" | "receive";
  readonly file: string;
  /** Its receivers, none for everybody; or its sender. */
  readonly identities: readonly string[];
  /** Bytes in all, if known. */
  readonly total?: number | undefined;
}

/** Tells how far a transfer is. */
export interface TransferReporter {
  progress(progress: Progress): void;
  /** However it went. */
  end(): void;
}

/** Where everything that is told goes: results to stdout, in lines or as JSON; the rest to stderr. */
export class Output {
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #stdout: CliOutputStream;
  readonly #stderr: CliOutputStream;
  #bars: Bars | undefined;
  #lines: ProgressLines | undefined;
  /** Results go to stderr, as stdout carries bytes. */
  resultsAside = false;
  /** Called around each line that is printed: a prompt makes way. */
  around: (print: () => void) => void = (print) => print();
  /** Told when nobody reads stdout any more. */
  onClosed: (failure: Failure) => void = () => {};

  constructor(stdout: CliOutputStream, stderr: CliOutputStream, { json = false, quiet = false }: OutputOptions) {
    this.json = json;
    this.#quiet = quiet;
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on("error", this.#stdoutFailed);
    stderr.on("error", ignore);
  }

  /** Shows transfers from here on: as bars on a terminal, elsewhere in a line each `interval` milliseconds. */
  async showProgress(interval: number): Promise<void> {
    if (this.json || this.#quiet) return;
    if (this.#stderr.isTTY === true) this.#bars = await Bars.load(this.#stderr);
    else this.#lines = new ProgressLines((line) => this.notice(line), interval);
  }

  /** Prints an event, for programs. */
  event(event: CliEvent): void {
    if (this.json) this.#write(this.#stdout, escapedJson(event));
  }

  /** Prints a result, for people. Line ends are kept: `printableLine` and `printableText` make strangers' words safe. */
  line(line: string): void {
    if (!this.json) this.#write(this.resultsAside ? this.#stderr : this.#stdout, line);
  }

  /** Prints a notice in one line. */
  notice(line: string): void {
    if (!this.json && !this.#quiet) this.#write(this.#stderr, printableLine(line));
  }

  failure({ code, message, hint }: Failure, about: { file?: string; from?: string } = {}): void {
    this.event({ event: "error", code, message, ...(hint === undefined ? {} : { hint }), ...about });
    this.#write(this.#stderr, printableLine(message));
    if (hint !== undefined) this.#write(this.#stderr, `  ${printableLine(hint)}`);
  }

  transfer({ direction, file, identities, total }: Transfer): TransferReporter {
    const view = (this.#bars ?? this.#lines)?.start(transferLabel(direction, file, identities), total);
    const [from] = identities;
    const whose = direction === "receive" && from !== undefined ? { identity: from } : {};
    return {
      progress: (progress) => {
        view?.update(progress);
        this.event({ event: "progress", direction, file, ...whose, ...progress });
      },
      end: () => view?.end(),
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
    this.#lines?.stop();
    await Promise.all([this.#stdout, this.#stderr].map(flushed));
    this.#stdout.off("error", this.#stdoutFailed);
    this.#stderr.off("error", ignore);
  }

  readonly #stdoutFailed = (error: Error): void => this.onClosed(closedOutput(error));

  #write(stream: CliOutputStream, line: string): void {
    if (stream.destroyed) return;
    if (this.#bars?.drawn === true && stream.isTTY === true) this.#bars.line(line);
    else this.around(() => void stream.write(`${line}\n`));
  }
}

function flushed(stream: CliOutputStream): Promise<void> {
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
