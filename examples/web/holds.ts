// Longest time that the page was held: by how much a timer comes late.
import { byId } from "./elements.ts";

/** Interval of the timer, in ms. */
const INTERVAL_MS = 4;

/** Seconds that are shown. */
const SECONDS = 60;

/** Height of the drawing, in its own units, and the hold that fills it, in ms. */
const HEIGHT = 24;
const FULL_MS = 100;

/** Hold that people notice, in ms. */
const NOTICED_MS = 50;

/** Measures from now on, and shows the longest hold of each second. */
export function watchHolds(): void {
  const seconds: number[] = Array.from({ length: SECONDS }, () => 0);
  let longest = 0;
  let last = performance.now();
  let drawn = last;
  setInterval(() => {
    const now = performance.now();
    if (!document.hidden) longest = Math.max(longest, now - last - INTERVAL_MS); // timers of hidden pages are late on purpose
    last = now;
    if (now - drawn < 1_000) return;
    drawn = now;
    seconds.push(longest);
    seconds.shift();
    longest = 0;
    draw(seconds);
  }, INTERVAL_MS);
  document.addEventListener("visibilitychange", () => void (last = performance.now()));
}

function draw(seconds: readonly number[]): void {
  byId("longest").textContent = Math.max(...seconds).toFixed(0);
  const bars = seconds.map((hold, at) => {
    const height = Math.min(HEIGHT, Math.max(0.4, hold / FULL_MS * HEIGHT));
    return shape("rect", hold >= NOTICED_MS ? "noticed" : "", { x: at + 0.15, y: HEIGHT - height, width: 0.7, height });
  });
  const y = HEIGHT - NOTICED_MS / FULL_MS * HEIGHT;
  byId<SVGElement>("seconds").replaceChildren(...bars, shape("line", "", { x1: 0, x2: SECONDS, y1: y, y2: y }));
}

function shape(tag: string, className: string, attributes: Readonly<Record<string, number>>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  element.setAttribute("class", className);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value.toFixed(2));
  return element;
}
