// Contents to send: incompressible bytes, text with more than ASCII in it, files.
import { open } from "node:fs/promises";
import { createRandom } from "../transports/hub/random.ts";

const LINE = '{"role":"user","content":"Déjà vu: the same line of text, 5 € and 日本語 in it, sent again"}\n';

const WORDS =
  "stream opened closed sent received bytes of the reader in room by participant after retry window credit was full empty again"
    .split(" ");

/** Random bytes, from a generator quick enough for hundreds of MB. */
export function randomBytes(bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(whole.subarray(at, at + 65_536));
  return whole;
}

/** Text of `bytes` bytes of UTF-8. It is flat: an engine joins the parts of `repeat` or `+` only at the first access. */
export function flatText(bytes: number): string {
  const line = new TextEncoder().encode(LINE);
  const whole = new Uint8Array(bytes).fill(0x20);
  for (let at = 0; at + line.length <= bytes; at += line.length) whole.set(line, at);
  return new TextDecoder().decode(whole);
}

/** Makes a file of random bytes. */
export async function randomFile(path: string, bytes: number): Promise<void> {
  const block = randomBytes(Math.min(bytes, 16e6));
  const file = await open(path, "w");
  try {
    for (let at = 0; at < bytes; at += block.length) await file.write(block.subarray(0, Math.min(block.length, bytes - at)));
  } finally {
    await file.close();
  }
}

/** Makes a file that is one hole: it reads as zeros, and takes no space on the disk. */
export async function sparseFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

/** Lines of JSON as in a log, the same for the same seed. */
export function jsonLines(bytes: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? "";
  const whole = new Uint8Array(bytes).fill(0x20);
  const encoder = new TextEncoder();
  let time = 1_700_000_000_000;
  for (let at = 0, id = 0; at < bytes; id++) {
    time += Math.floor(random() * 2_000);
    const line = {
      id,
      time: new Date(time).toISOString(),
      level: pick(["info", "info", "info", "warning", "error"]),
      user: Math.floor(random() * 0x1_0000_0000).toString(16),
      message: Array.from({ length: 4 + Math.floor(random() * 8) }, () => pick(WORDS)).join(" "),
      milliseconds: Number((random() * 1_000).toFixed(3)),
      tags: [pick(WORDS), pick(WORDS)],
    };
    at += encoder.encodeInto(`${JSON.stringify(line)}\n`, whole.subarray(at)).written;
    if (at > bytes - 8) break; // what is left is blanks
  }
  return whole;
}
