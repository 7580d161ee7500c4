// Messages of an examination, as JSON in short texts.
import { isCount, isRecord } from "../common/shapes.ts";
import type { About } from "./about.ts";

/** Topic of questions, and of bytes to the examined runtime. */
export const ASK_TOPIC = "millrace.doctor";

/** Topic of answers, and of bytes from the examined runtime. */
export const ANSWER_TOPIC = "millrace.doctor.answer";

/** Attribute of bytes to the examined runtime: seconds for which it counts them. */
export const SECONDS_ATTRIBUTE = "seconds";

/** Longest time for which bytes are sent and counted, in seconds, and most bytes. */
export const MOST_SECONDS = 10;
export const MOST_BYTES = 256_000_000;

/** Question of a doctor. */
export type Question =
  | { readonly ask: "about" }
  | { readonly ask: "time" }
  /** For a stream of bytes of that many seconds. */
  | { readonly ask: "bytes"; readonly seconds: number };

/** Times of a question at its receiver, in Unix ms. */
export interface Times {
  readonly came: number;
  readonly went: number;
}

/** Reads a question; undefined if the text is none. */
export function readQuestion(text: string): Question | undefined {
  const value = parsed(text);
  if (!isRecord(value)) return undefined;
  const { ask, seconds } = value;
  if (ask === "about" || ask === "time") return { ask };
  return ask === "bytes" && typeof seconds === "number" && isDuration(seconds) ? { ask, seconds } : undefined;
}

/** Whether a number of seconds may be asked for. */
export function isDuration(seconds: number): boolean {
  return seconds > 0 && seconds <= MOST_SECONDS;
}

/** Reads a count of bytes; undefined if the text has none. */
export function readCount(text: string): { bytes: number; ms: number } | undefined {
  const value = parsed(text);
  if (!isRecord(value)) return undefined;
  const { bytes, ms } = value;
  return isCount(bytes) && typeof ms === "number" ? { bytes, ms } : undefined;
}

/** Reads versions; undefined if the text has none. */
export function readAbout(text: string): About | undefined {
  const value = parsed(text);
  if (!isRecord(value)) return undefined;
  const { millrace, platform } = value;
  return typeof millrace === "string" && typeof platform === "string" ? { millrace, platform } : undefined;
}

/** Reads times; undefined if the text has none. */
export function readTimes(text: string): Times | undefined {
  const value = parsed(text);
  if (!isRecord(value)) return undefined;
  const { came, went } = value;
  return typeof came === "number" && typeof went === "number" ? { came, went } : undefined;
}

/** Time of the system's clock, in Unix ms. */
export function wallClock(): number {
  return new Date().getTime();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
