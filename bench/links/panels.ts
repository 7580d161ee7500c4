// Drawing of the results over lines: a panel for each line and contents. Goodput goes upwards, the p95 of messages to the right,
// logarithmically, so that the upper left is best. A large dot is the median of a contender, small ones are its runs.
import { COLOURS, niceStep, px, text } from "../plot.ts";
import type { Report } from "../report.ts";
import type { LinkRow } from "./results.ts";

const COLUMNS = 3;
const WIDTH = 300;
const HEIGHT = 170;
const LEFT = 50;
const TOP = 40;
const BOTTOM = 46;
const HEAD = 64;

/** Labels of the time axis, whose ends bound all panels. */
const TIMES: readonly (readonly [number, string])[] = [
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "100 ms"],
  [1_000, "1 s"],
  [10_000, "10 s"],
  [100_000, "100 s"],
];
const LONGEST = 100_000;

export function panels({ runtime, version, machine, brief }: Report, rows: readonly LinkRow[]): string {
  const contenders = [...new Set(rows.map(({ name }) => name))];
  const groups = [...new Set(rows.map(groupOf))].map((group) => rows.filter((row) => groupOf(row) === group));
  const width = COLUMNS * (LEFT + WIDTH) + 20;
  const height = HEAD + Math.ceil(groups.length / COLUMNS) * (TOP + HEIGHT + BOTTOM);
  const title = `${runtime[0]?.toUpperCase()}${runtime.slice(1)} ${version}, ${machine.cores} cores`;
  const note = brief ? " (quick: numbers mean nothing)" : "";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#37352f">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(16, 24, `Goodput in MB/s by the p95 of messages sent meanwhile, ${title}${note}`, 'font-size="15"'),
    ...contenders.map((name, index) =>
      legend(16 + (width - 32) / contenders.length * index, 46, name, colourOf(contenders, name))
    ),
    ...groups.flatMap((group, index) =>
      panel(
        LEFT + (index % COLUMNS) * (LEFT + WIDTH),
        HEAD + TOP + Math.floor(index / COLUMNS) * (TOP + HEIGHT + BOTTOM),
        group,
        contenders,
      )
    ),
    "</svg>\n",
  ].join("\n");
}

function groupOf({ link, contents }: LinkRow): string {
  return `${link} ${contents}`;
}

function colourOf(contenders: readonly string[], name: string): string {
  return COLOURS[contenders.indexOf(name) % COLOURS.length] ?? "";
}

function legend(x: number, y: number, name: string, colour: string): string {
  return `<circle cx="${px(x + 5)}" cy="${y - 4}" r="5" fill="${colour}"/>\n${text(x + 15, y, name)}`;
}

function panel(left: number, top: number, rows: readonly LinkRow[], contenders: readonly string[]): string[] {
  const most = Math.max(1e-9, ...rows.flatMap(({ runs }) => runs.map(({ rate }) => rate)));
  const step = niceStep(most / 4);
  const limit = step * Math.ceil(most / step);
  const x = (ms: number): number => left + WIDTH * Math.log(Math.min(LONGEST, Math.max(1, ms))) / Math.log(LONGEST);
  const y = (rate: number): number => top + HEIGHT * (1 - rate / limit);
  const title = `${rows[0]?.title}; ${rows[0]?.contents}`;
  const parts = [text(left - LEFT + 16, top - 14, title, 'font-weight="bold" font-size="11"')];
  for (let rate = 0; rate <= limit + step / 2; rate += step) {
    parts.push(`<path d="M${left} ${px(y(rate))}h${WIDTH}" stroke="#e3e2e0"/>`);
    parts.push(text(left - 6, y(rate) + 4, String(Number(rate.toPrecision(3))), 'text-anchor="end"'));
  }
  for (const [ms, label] of TIMES) {
    parts.push(`<path d="M${px(x(ms))} ${top}v${HEIGHT}" stroke="#e3e2e0"/>`);
    parts.push(text(x(ms), top + HEIGHT + 16, label, 'text-anchor="middle"'));
  }
  for (const { name, rate, p95, runs } of rows) {
    const colour = colourOf(contenders, name);
    for (const run of runs) {
      parts.push(`<circle cx="${px(x(run.p95))}" cy="${px(y(run.rate))}" r="2.5" fill="${colour}" fill-opacity="0.5"/>`);
    }
    parts.push(`<circle cx="${px(x(p95))}" cy="${px(y(rate))}" r="6" fill="${colour}"/>`);
  }
  return parts;
}
