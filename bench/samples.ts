// What is sent: bytes that cannot be packed, text with more than ASCII in it, files.
import { open } from "node:fs/promises";

const LINE = '{"role":"user","content":"Déjà vu: the same line of text, 5 € and 日本語 in it, sent again"}\n';

/** Random bytes, of a generator quick enough for hundreds of MB. */
export function randomBytes(bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(whole.subarray(at, at + 65_536));
  return whole;
}

/** A text of so many bytes of UTF-8. It is flat: one made by `repeat` or `+` is put together by the engine when it is first touched. */
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

/** Makes a file that is one hole: it reads as zeros, and takes no room on the disk. */
export async function sparseFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}
