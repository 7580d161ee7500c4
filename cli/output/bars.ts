import type { MultiBar, Params, SingleBar } from "cli-progress";
import type { Progress } from "millrace";
import type { CliOutputStream } from "../environment.ts";
import { progressText, type ProgressView, type TransferView } from "./progress.ts";

/** Characters of the bar itself, and of the label before it. */
const BAR_WIDTH = 24;
const LABEL_WIDTH = 32;

/** Bars on a terminal, one for each transfer under way. They go when the last of them has ended: what remains is told in lines. */
export class Bars implements ProgressView {
  readonly #stream: CliOutputStream;
  readonly #create: new (options: object) => MultiBar;
  #multi: MultiBar | undefined;
  #active = 0;

  private constructor(stream: CliOutputStream, create: new (options: object) => MultiBar) {
    this.#stream = stream;
    this.#create = create;
  }

  static async load(stream: CliOutputStream): Promise<Bars> {
    const { default: library } = await import("cli-progress");
    return new Bars(stream, library.MultiBar);
  }

  get drawn(): boolean {
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
      gracefulExit: false, // signals are the command's own
      format: drawn,
    });
    this.#active++;
    const bar: SingleBar = this.#multi.create(total ?? 0, 0, { label: fitted(label), progress: { bytes: 0, bytesPerSecond: 0 } });
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
    this.#multi?.update(); // else lines that wait would be lost
    this.#multi?.stop();
    this.#multi = undefined;
    this.#active = 0;
  }
}

function drawn(_: object, { value, total }: Params, { label, progress }: { label: string; progress: Progress }): string {
  if (total === 0) return `${label}  ${progressText(progress)}`;
  const share = Math.min(1, value / total);
  const filled = Math.round(share * BAR_WIDTH);
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  return `${label}  ${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}  ${percent}  ${progressText(progress)}`;
}

function fitted(label: string): string {
  return (label.length > LABEL_WIDTH ? `${label.slice(0, LABEL_WIDTH - 1)}…` : label).padEnd(LABEL_WIDTH);
}
