import type { CliOutputStream } from "../environment.ts";

/** Whole screen of a terminal, drawn again and again. What was there before comes back at the end. */
export class Screen {
  readonly #stream: CliOutputStream;

  constructor(stream: CliOutputStream) {
    this.#stream = stream;
    stream.write("\x1b[?1049h\x1b[?25l"); // another screen, without a cursor
  }

  /** Draws lines from the top. */
  draw(lines: readonly string[]): void {
    this.#stream.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\n")}\x1b[J`);
  }

  close(): void {
    this.#stream.write("\x1b[?25h\x1b[?1049l");
  }
}
