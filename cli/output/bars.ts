import type { MultiBar, Params, SingleBar } from "cli-progress";
import type { Progress } from "millrace";
import type { CliOutputStream } from "../environment.ts";
import { progressText, type ProgressView, type TransferView } from "./progress.ts";

/** Width of the bar, in characters. */
const BAR_WIDTH = 24;

/** Width of the label before the bar, in characters. */
const LABEL_WIDTH = 32;

/** Progress bars on a terminal, one for each open transfer. They disappear when the last transfer has ended. */
export class Bars implements ProgressView {
  readonly #stream: CliOutputStream;
  readonly #create: new (options: object) => MultiBar;
  #multi: MultiBar | undefined;
  #active = 0;

  private constructor(stream: CliOutputStream, create: new (options: object) => MultiBar) {
    this.#stream = stream;
    this.#create = create;
  }

  /** Loads the library of bars. */
  static async load(stream: CliOutputStream): Promise<Bars> {
    const { default: library } = await import("cli-progress");
    return new Bars(stream, library.MultiBar);
  }

  /** True while there are bars. */
  get isDrawn(): boolean {
    return this.#multi !== undefined;
  }

  /** Prints a line above the bars. */
  line(text: string): void {
    this.#multi?.log(`${text}\n`);
  }

  start(label: string, total: number | undefined): TransferView {
    this.#multi ??= new this.#create({
      stream: this.#stream,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false, // the command handles signals itself
      format: renderBar,
    });
    this.#active++;
    const bar: SingleBar = this.#multi.create(total ?? 0, 0, {
      label: fitLabel(label),
      progress: { bytes: 0, bytesPerSecond: 0 },
    });
    let ended = false;
    return {
      update: (progress) => bar.update(progress.bytes, { progress }),
      end: () => {
        if (ended) return;
        ended = true;
        bar.stop();
        if (--this.#active === 0) this.stop();
      },
    };
  }

  stop(): void {
    this.#multi?.update(); // prints lines that wait
    this.#multi?.stop();
    this.#multi = undefined;
    this.#active = 0;
  }
}

function renderBar(_: object, { value, total }: Params, { label, progress }: { label: string; progress: Progress }): string {
  if (total === 0) return `${label}  ${progressText(progress)}`;
  const share = Math.min(1, value / total);
  const filled = Math.round(share * BAR_WIDTH);
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  return `${label}  ${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}  ${percent}  ${progressText(progress)}`;
}

function fitLabel(label: string): string {
  return (label.length > LABEL_WIDTH ? `${label.slice(0, LABEL_WIDTH - 1)}…` : label).padEnd(LABEL_WIDTH);
}
