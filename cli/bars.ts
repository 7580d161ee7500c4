import type { MultiBar, Params, SingleBar } from "cli-progress";
import type { Progress } from "millrace";
import { bytesText, printableLine } from "./printable.ts";
import type { Output } from "./surroundings.ts";

const WIDTH = 30;
const LABEL = 32;

export interface Bar {
  update(progress: Progress): void;
  end(): void;
}

/** Bars on a terminal, one for each transfer under way. They go when the last of them has ended: what remains is told in lines. */
export class Bars {
  readonly #stream: Output;
  readonly #create: new (options: object) => MultiBar;
  #multi: MultiBar | undefined;
  #active = 0;

  private constructor(stream: Output, create: new (options: object) => MultiBar) {
    this.#stream = stream;
    this.#create = create;
  }

  static async load(stream: Output): Promise<Bars> {
    const { default: library } = await import("cli-progress");
    return new Bars(stream, library.MultiBar);
  }

  get drawn(): boolean {
    return this.#multi !== undefined;
  }

  /** A line above the bars. */
  line(text: string): void {
    this.#multi?.log(`${text}\n`);
  }

  start(label: string, total: number | undefined): Bar {
    this.#multi ??= new this.#create({
      stream: this.#stream,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false, // signals are the command's own
      format: drawn,
    });
    this.#active++;
    const bar: SingleBar = this.#multi.create(total ?? 0, 0, {
      label: fitted(label),
      bytesPerSecond: 0,
    });
    let ended = false;
    return {
      update: ({ bytes, bytesPerSecond }) => bar.update(bytes, { bytesPerSecond }),
      end: () => {
        if (ended) return;
        ended = true;
        bar.stop();
        if (--this.#active === 0) this.stop();
      },
    };
  }

  stop(): void {
    this.#multi?.update(); // else lines that wait would be lost
    this.#multi?.stop();
    this.#multi = undefined;
    this.#active = 0;
  }
}

function drawn(
  _: object,
  { value, total }: Params,
  { label, bytesPerSecond }: { label: string; bytesPerSecond: number },
): string {
  const rate = `${bytesText(bytesPerSecond)}/s`;
  if (total === 0) return `${label}  ${bytesText(value)}  ${rate}`;
  const share = Math.min(1, value / total);
  const filled = Math.round(share * WIDTH);
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  return `${label}  ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}  ${percent}  ${bytesText(value)}  ${rate}`;
}

function fitted(label: string): string {
  const text = printableLine(label);
  return (text.length > LABEL ? `${text.slice(0, LABEL - 1)}…` : text).padEnd(LABEL);
}
