// A bar on stderr that is drawn anew at each report; where stderr is no terminal, a line at each quarter.
import process from "node:process";
import type { Progress } from "../../mod.ts";

const WIDTH = 30;

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

  /** Leaves the bar as it is: what is printed next has a line of its own. */
  end(): void {
    if (this.#drawn) process.stderr.write("\n");
    this.#drawn = false;
  }
}

/** As people write it. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
