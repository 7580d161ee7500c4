// Measures the figures to reach, as medians of five runs after one that warms up.
//   Figures: the longest hold of the event loop in several sends, throughput against the machine's limit, the pool against this thread
//   alone, CPU time of small texts and streams, compression by two workers against one, the framed format against the plain one, two
//   processes, memory, the import of mod.ts.
// Run: npm run bench:figures | bun --bun run bench:figures | deno task bench:figures
// Pitfalls: another load on the machine shows in the printed noise. The limit counts all cores as free.
//   Memory is that of a process: an engine may keep freed memory until the system needs that.
import { createCodecPool } from "../../mod.ts";
import type { Grown } from "./children/child.ts";
import type { FigureContext, Measure } from "./types.ts";
import { actorFigures } from "./actors.ts";
import { formatFigures } from "./formats.ts";
import { holdFigures } from "./holds.ts";
import { pipeFigures } from "./pipe.ts";
import { rateFigures } from "./rates.ts";
import { smallFigures } from "./small.ts";
import { median, spread } from "../probe.ts";
import type { Figure } from "../report.ts";
import { runChild } from "./children/run_child.ts";

const MB = 1e6;
const IMPORTS = 10;

const SECTIONS: Readonly<Record<string, (context: FigureContext) => AsyncGenerator<Measure, void, undefined>>> = {
  holds: holdFigures,
  rates: rateFigures,
  small: smallFigures,
  formats: formatFigures,
  actors: actorFigures,
  pipe: pipeFigures,
  processes: processFigures,
};

export const FIGURE_SECTIONS: readonly string[] = Object.keys(SECTIONS);

/** Measures each figure, or those of some sections, and reports each. */
export async function measureFigures(
  brief: boolean,
  only: readonly string[] | undefined,
  tell: (figure: Figure) => void,
): Promise<Figure[]> {
  const pool = createCodecPool();
  const context: FigureContext = { pool, rounds: brief ? 1 : 5, divisor: brief ? 64 : 1 };
  const figures: Figure[] = [];
  try {
    for (const name of only ?? FIGURE_SECTIONS) {
      for await (const measure of SECTIONS[name]?.(context) ?? []) {
        const figure = asFigure(measure);
        figures.push(figure);
        tell(figure);
      }
    }
  } finally {
    await pool.close();
  }
  return figures;
}

/** Whether the median of the runs reaches the figure. */
export function asFigure({ id, what, unit, reach, better, runs, note, holds = true }: Measure): Figure {
  const measured = median(runs);
  const within = better === "less" ? measured <= reach : measured >= reach;
  return { id, what, unit, reach, better, measured, noise: spread(runs) / 2, reached: within && holds, runs, note };
}

async function* processFigures(context: FigureContext): AsyncGenerator<Measure, void, undefined> {
  yield await unreadFigure(context);
  yield await fileFigure(context);
  yield await importFigure(context);
  yield* heapFigure(context);
}

/** Only where a program can ask for a collection. */
async function* heapFigure({ divisor }: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const texts = Math.ceil(50_000 / divisor);
  const { growth } = await runChild<Grown>("child", ["texts", String(texts)]);
  if (Number.isNaN(growth) || growth === null) return;
  yield {
    id: "heap",
    what: "heap after 50,000 texts against after 10,000",
    unit: "MB more",
    reach: 1,
    better: "less",
    runs: [growth / MB],
    note: "after a full collection",
  };
}

async function unreadFigure({ divisor }: FigureContext): Promise<Measure> {
  const bytes = 512 * MB / divisor;
  const { growth, bytes: written } = await runChild<Grown>("child", ["unread", String(bytes)]);
  const waits = written < bytes;
  return {
    id: "unread",
    what: "a receiver that reads nothing of 512 MB",
    unit: "MB RSS growth",
    reach: 16,
    better: "less",
    runs: [growth / MB],
    note: waits ? `the writer waits after ${(written / MB).toFixed(1)} MB` : "THE WRITER DOES NOT WAIT",
    holds: waits,
  };
}

async function fileFigure({ divisor }: FigureContext): Promise<Measure> {
  const bytes = 1024 * MB / divisor;
  const { growth, bytes: saved, seconds } = await runChild<Grown>("child", ["file", String(bytes)]);
  return {
    id: "file",
    what: "sendFile of 1 GB to saveTo",
    unit: "MB RSS growth",
    reach: 64,
    better: "less",
    runs: [growth / MB],
    note: `${(saved / MB / seconds).toFixed(0)} MB/s`,
    holds: saved === bytes,
  };
}

async function importFigure({ rounds }: FigureContext): Promise<Measure> {
  const runs: number[] = [];
  let workers = 0;
  for (let i = 0; i < (rounds > 1 ? IMPORTS : 1); i++) {
    const child = await runChild<{ took: number; workers: number }>("import_child", [], ["--allow-sys=cpus"]);
    runs.push(child.took);
    workers = Math.max(workers, child.workers);
  }
  return {
    id: "import",
    what: "import of mod.ts in a fresh process",
    unit: "ms",
    reach: 60,
    better: "less",
    runs,
    note: workers === 0 ? "no worker started" : `${workers} WORKERS STARTED`,
    holds: workers === 0,
  };
}
