// A drawing of a report: for each section throughput by size at the left, the longest hold of the event loop at the right.
import { bytesLabel, type Report, type Row } from "./report.ts";

const WIDTH = 460;
const HEIGHT = 220;
const LEFT = 56;
const TOP = 34;
const BOTTOM = 40;
const GAP = 20;
const LEGEND = 190;

export const COLOURS: readonly string[] = ["#0b6e99", "#d9730d", "#6940a5", "#4d6461", "#ad1a72", "#0f7b6c"];

const SECTIONS: readonly (readonly [string, string])[] = [
  ["codec", "Codec, by segment size"],
  ["chunk size", "Stream on the hub, by chunk size"],
  ["write size", "Stream on the hub, by size of writes"],
  ["send", "Finite sends, by size"],
];

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** A self-contained SVG: no script, no style sheet, no font that may be missing. */
export function plot(report: Report, rows: readonly Row[]): string {
  const width = 2 * (LEFT + WIDTH + GAP) + LEGEND;
  const height = SECTIONS.length * (TOP + HEIGHT + BOTTOM) + 30;
  const name = `${report.runtime[0]?.toUpperCase()}${report.runtime.slice(1)} ${report.version}`;
  const body = SECTIONS.flatMap(([section, title], index) => {
    const own = rows.filter((row) => row.section === section);
    const top = 30 + index * (TOP + HEIGHT + BOTTOM);
    const names = [...new Set(own.map((row) => row.name))];
    return [
      panel(LEFT, top, `${title}: MB/s`, linesOf(own, names, ({ rate }) => rate), 0),
      panel(
        2 * LEFT + WIDTH + GAP,
        top,
        "longest hold of the event loop, ms",
        linesOf(own, names, ({ holds }) => holds?.longest),
        5,
      ),
      ...names.map((each, at) => legend(2 * (LEFT + WIDTH + GAP), top + TOP + 14 + 18 * at, each, at)),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#37352f">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(
      LEFT,
      22,
      `Millrace on ${name}, ${report.machine.cores} cores${report.brief ? " (brief: numbers mean nothing)" : ""}`,
      'font-size="15"',
    ),
    ...body,
    "</svg>\n",
  ].join("\n");
}

function linesOf(rows: readonly Row[], names: readonly string[], value: (row: Row) => number | undefined): Line[] {
  return names.map((name) => ({
    name,
    points: rows.flatMap((row) => {
      const y = row.name === name ? value(row) : undefined;
      return y === undefined ? [] : [[row.size, y] as const];
    }),
  }));
}

/** Sizes have a logarithmic axis, values start at zero. A line across is drawn at `mark`, if not 0. */
function panel(left: number, top: number, title: string, lines: readonly Line[], mark: number): string {
  const points = lines.flatMap((line) => line.points);
  const sizes = [...new Set(points.map(([size]) => size))].sort((a, b) => a - b);
  const step = niceStep(Math.max(mark, 1e-9, ...points.map(([, y]) => y)) / 4);
  const most = step * Math.ceil(Math.max(mark, 1e-9, ...points.map(([, y]) => y)) / step);
  const least = Math.log(sizes[0] ?? 1);
  const range = Math.log(sizes.at(-1) ?? 1) - least || 1;
  const x = (size: number): number => left + 20 + (WIDTH - 40) * (Math.log(size) - least) / range;
  const y = (value: number): number => top + TOP + HEIGHT * (1 - value / most);
  const parts = [text(left, top + 20, title, 'font-weight="bold"')];
  for (let value = 0; value <= most + step / 2; value += step) {
    parts.push(`<path d="M${left} ${px(y(value))}h${WIDTH}" stroke="#e3e2e0"/>`);
    parts.push(text(left - 6, y(value) + 4, String(Number(value.toPrecision(3))), 'text-anchor="end"'));
  }
  for (const size of sizes) parts.push(text(x(size), top + TOP + HEIGHT + 18, bytesLabel(size), 'text-anchor="middle"'));
  if (mark > 0) parts.push(`<path d="M${left} ${px(y(mark))}h${WIDTH}" stroke="#e03e3e" stroke-dasharray="4 4"/>`);
  lines.forEach((line, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const sorted = [...line.points].sort(([a], [b]) => a - b).map(([size, value]) => [px(x(size)), px(y(value))] as const);
    if (sorted.length > 1) {
      parts.push(
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${
          sorted.map((point) => point.join(",")).join(" ")
        }"/>`,
      );
    }
    for (const [cx, cy] of sorted) parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`);
  });
  return parts.join("\n");
}

function legend(left: number, top: number, name: string, index: number): string {
  const colour = COLOURS[index % COLOURS.length];
  return `<path d="M${left} ${top - 4}h14" stroke="${colour}" stroke-width="3"/>\n${text(left + 20, top, name)}`;
}

export function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<text x="${px(x)}" y="${px(y)}"${attributes === "" ? "" : ` ${attributes}`}>${escaped}</text>`;
}

/** 1, 2 or 5 times a power of ten, at least `value`. */
export function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power;
}

export function px(value: number): number {
  return Math.round(value * 10) / 10;
}
