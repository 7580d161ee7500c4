import type { Progress } from "millrace";
import { Bars } from "./bars.ts";
import type { CliOutputStream } from "../environment.ts";
import type { CliEvent } from "./events.ts";
import { codeOf, Failure } from "../failure.ts";
import { escapedJson, printableLine } from "./printable.ts";
import { transferLabel } from "./progress.ts";
import { ProgressLines } from "./progress_lines.ts";

/** Options of the output. */
export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
}

/** Open transfer. */
export interface Transfer {
  readonly direction: "send" | "receive";
  readonly file: string;
  /** Receivers (none for everybody), or the sender. */
  readonly identities: readonly string[];
  /** Size, in bytes, if known. */
  readonly total?: number | undefined;
}

/** Reporter of one transfer's progress. */
export interface TransferReporter {
  /** Shows the progress. */
  progress(progress: Progress): void;
  /** Removes the transfer, after success or failure. */
  end(): void;
}

/** Output of the command: results to stdout, as lines or as JSON; all else to stderr. */
export class Output {
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #stdout: CliOutputStream;
  readonly #stderr: CliOutputStream;
  #bars: Bars | undefined;
  #lines: ProgressLines | undefined;
  /** True if results go to stderr, as stdout carries bytes. */
  resultsToStderr = false;
  /** Wrapper of each printed line; hides a prompt. */
  around: (print: () => void) => void = (print) => print();
  /** Called when stdout is closed. */
  onClosed: (failure: Failure) => void = () => {};

  constructor(stdout: CliOutputStream, stderr: CliOutputStream, { json = false, quiet = false }: OutputOptions) {
    this.json = json;
    this.#quiet = quiet;
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on("error", this.#stdoutFailed);
    stderr.on("error", ignore);
  }

  /** Shows later transfers: as bars on a terminal, otherwise as a line every `interval` ms. */
  async showProgress(interval: number): Promise<void> {
    if (this.json || this.#quiet) return;
    if (this.#stderr.isTTY === true) this.#bars = await Bars.load(this.#stderr);
    else this.#lines = new ProgressLines((line) => this.notice(line), interval);
  }

  /** Prints an event, if programs read the output. */
  event(event: CliEvent): void {
    if (this.json) this.#write(this.#stdout, escapedJson(event));
  }

  /** Prints a result for people, line ends included. Callers escape untrusted text by `printableLine` or `printableText`. */
  line(line: string): void {
    if (!this.json) this.#write(this.resultsToStderr ? this.#stderr : this.#stdout, line);
  }

  /** Prints a notice in one line. */
  notice(line: string): void {
    if (!this.json && !this.#quiet) this.#write(this.#stderr, printableLine(line));
  }

  /** Prints a failure and its hint; `about` adds fields to the event. */
  failure({ code, message, hint }: Failure, about: { file?: string; from?: string } = {}): void {
    this.event({ event: "error", code, message, ...(hint === undefined ? {} : { hint }), ...about });
    this.#write(this.#stderr, printableLine(message));
    if (hint !== undefined) this.#write(this.#stderr, `  ${printableLine(hint)}`);
  }

  /** Starts showing a transfer. */
  transfer({ direction, file, identities, total }: Transfer): TransferReporter {
    const view = (this.#bars ?? this.#lines)?.start(transferLabel(direction, file, identities), total);
    const [from] = identities;
    const sender = direction === "receive" && from !== undefined ? { identity: from } : {};
    return {
      progress: (progress) => {
        view?.update(progress);
        this.event({ event: "progress", direction, file, ...sender, ...progress });
      },
      end: () => view?.end(),
    };
  }

  /** Writes bytes to stdout. Resolves when they are written; rejects if stdout is closed, or with the signal's reason. */
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

  /** Resolves when all output is written, or its stream is closed. */
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
    if (this.#bars?.isDrawn === true && stream.isTTY === true) this.#bars.line(line);
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
  const reason = codeOf(cause) === "EPIPE" ? "its reader has closed it" : cause.message;
  return new Failure("output-closed", `Cannot write to stdout as ${reason}`, { cause });
}

function ignore(): void {}
