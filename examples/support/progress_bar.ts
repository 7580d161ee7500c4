// Progress bar on stderr, redrawn at each report. If stderr is not a terminal: a line at each quarter.
import process from "node:process";
import type { Progress } from "../../mod.ts";

/** Width of the bar, in characters. */
const WIDTH = 30;

/** Progress bar of one transfer. */
export class ProgressBar {
  readonly #label: string;
  #quarter = 0;
  #drawn = false;

  constructor(label: string) {
    this.#label = label;
  }

  draw({ bytes, percent = 0, bytesPerSecond }: Progress): void {
    const whole = Math.round(percent);
    const figures = `${String(whole).padStart(3)} %  ${megabytes(bytes)}, ${megabytes(bytesPerSecond)}/s`;
    if (process.stderr.isTTY) {
      const filled = Math.round(percent / 100 * WIDTH);
      process.stderr.write(`\r${this.#label} ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${figures}\x1b[K`);
      this.#drawn = true;
    } else if (Math.floor(whole / 25) > this.#quarter) {
      this.#quarter = Math.floor(whole / 25);
      process.stderr.write(`${this.#label} ${figures}\n`);
    }
  }

  /** Ends the line of the bar. */
  end(): void {
    if (this.#drawn) process.stderr.write("\n");
    this.#drawn = false;
  }
}

/** Formats a number of bytes: "1.2 MB". */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
