// Measured lines, and the figures to reach on each.
import { STREAM_CHUNK_SIZE } from "../../mod.ts";
import type { Line } from "../support/programs.ts";

export interface Link {
  readonly name: string;
  readonly title: string;
  /** Undefined: straight to the server. */
  readonly line?: Line;
  /** With random bytes: goodput against the best of rtc-node's, and the p95 of messages meanwhile in milliseconds. */
  readonly reach?: { readonly goodput: number; readonly message: number };
}

const QUEUE_MS = 500;

export const LINKS: readonly Link[] = [
  { name: "loopback", title: "loopback", reach: { goodput: 1, message: 80 } },
  lineOf("narrow", { delay: 20, rate: 1, queue: QUEUE_MS, loss: 0 }, { goodput: 1.3, message: 150 }),
  lineOf("far", { delay: 25, rate: 0, queue: QUEUE_MS, loss: 0 }, { goodput: 1, message: 300 }),
  lineOf("mobile", { delay: 60, rate: 0.5, queue: QUEUE_MS, loss: 0 }, { goodput: 1.3, message: 400 }),
  lineOf("lossy", { delay: 10, rate: 2, queue: QUEUE_MS, loss: 0.002 }, { goodput: 1, message: 200 }),
];

/** "20,1,500,0.01": delay one way, rate, queue at that rate, loss. Each has a default: 0, and a queue of 500 ms. */
export function parseLink(text: string): Link {
  const [delay = NaN, rate = 0, queue = QUEUE_MS, loss = 0, ...more] = text.split(",").map((part) =>
    part === "" ? NaN : Number(part)
  );
  const valid = [delay, rate, queue, loss].every((value) => value >= 0) && loss < 1 && more.length === 0;
  if (!valid) throw new RangeError(`Cannot measure as a link is given as delay,rate,queue,loss: link is "${text}"`);
  return lineOf(text, { delay, rate, queue, loss }, { goodput: 1, message: lateness(delay, rate) });
}

/** Wanted p95 of messages on any line, in ms: four round trips between the participants, and eight chunks at the line's rate. */
function lateness(delay: number, rate: number): number {
  const roundTrip = 4 * delay;
  return Math.max(150, 4 * roundTrip + (rate === 0 ? 0 : 8 * STREAM_CHUNK_SIZE / 1000 / rate));
}

function lineOf(name: string, line: Line, reach?: Link["reach"]): Link {
  const { delay, rate, queue, loss } = line;
  const parts = [
    `${delay} ms one way`,
    rate === 0 ? "no limit" : `${rate} MB/s with ${queue} ms of queue`,
    ...loss === 0 ? [] : [`${Number((100 * loss).toPrecision(3))} % lost`],
  ];
  return { name, title: parts.join(", "), line, ...(reach === undefined ? {} : { reach }) };
}
