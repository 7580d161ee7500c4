// Drawing of the results in rooms: a bar for each contender of each section. Its end is the median; a line goes from the smallest to the
// largest run.
import { COLOURS, niceStep, px, text } from "../plot.ts";
import type { Kind } from "./processes.ts";
import type { Report } from "../report.ts";
import type { LivekitRow } from "./results.ts";

const WIDTH = 900;
const NAMES = 260;
const VALUES = 90;
const BAR = 18;
const HEAD = 34;
const KINDS: readonly Kind[] = ["millrace", "rtc-node", "python", "page", "livekit-client"];

export function bars({ runtime, version, machine, brief }: Report, rows: readonly LivekitRow[]): string {
  const sections = [...new Set(rows.map(({ section }) => section))];
  const body: string[] = [];
  let top = 40;
  for (const section of sections) {
    const own = rows.filter((row) => row.section === section);
    body.push(...panel(top, section, own));
    top += HEAD + BAR * own.length + 16;
  }
  const name = `${runtime[0]?.toUpperCase()}${runtime.slice(1)} ${version}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="12" fill="#37352f">`,
    `<rect width="${WIDTH}" height="${top}" fill="#ffffff"/>`,
    text(
      16,
      24,
      `In rooms of a LiveKit server, ${name}, ${machine.cores} cores${brief ? " (quick: numbers mean nothing)" : ""}`,
      'font-size="15"',
    ),
    ...body,
    "</svg>\n",
  ].join("\n");
}

function panel(top: number, section: string, rows: readonly LivekitRow[]): string[] {
  const largest = Math.max(1e-9, ...rows.flatMap(({ runs }) => runs));
  const step = niceStep(largest / 4);
  const scale = (WIDTH - NAMES - VALUES) / (step * Math.ceil(largest / step));
  const parts = [text(16, top + 16, `${section}, ${rows[0]?.unit}`, 'font-weight="bold"')];
  rows.forEach(({ name, by, measured, runs }, index) => {
    const y = top + HEAD + BAR * index;
    const [from, to] = [Math.min(...runs) * scale, Math.max(...runs) * scale];
    parts.push(
      text(NAMES - 8, y + 10, name, 'text-anchor="end"'),
      `<rect x="${NAMES}" y="${y}" width="${px(Math.max(0, measured * scale))}" height="12" fill="${
        COLOURS[KINDS.indexOf(by)]
      }"/>`,
      `<path d="M${px(NAMES + from)} ${y + 6}h${px(to - from)}" stroke="#37352f"/>`,
      text(NAMES + to + 6, y + 10, String(Number(measured.toPrecision(3)))),
    );
  });
  return parts;
}
