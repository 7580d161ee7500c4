// Contents to send, and summaries of received contents, which keep large contents out of the pipe. Shared by tests, peers on Node and the page;
// python_peer.py has a copy. Uses nothing that browsers lack.

/** Contents up to this many bytes are part of their summary. */
const TOLD_BYTES = 4_096;

/** Characters of one to four bytes of UTF-8. */
const CHARACTERS = ["a", "é", "€", "😀", "\n", "ß", "한", "Z"];

/**
 * Description of contents. `{ length, seed }` is a pattern of `length` bytes; as a text, its characters have one to four bytes.
 * `{ repeat, times }` is compressible.
 * @typedef {{ text: string } | { base64: string } | { length: number, seed: number } | { repeat: string, times: number }} Content
 */

/**
 * Summary of received contents: length in bytes, their sha256 in hexadecimal, and short contents themselves.
 * @typedef {{ length: number, sha256: string, text?: string, base64?: string }} Told
 */

/** @param {Content} content @returns {Uint8Array<ArrayBuffer>} */
export function bytesOf(content) {
  if ("base64" in content) return Uint8Array.from(atob(content.base64), (unit) => unit.charCodeAt(0));
  if ("length" in content) return bytePattern(content.length, content.seed);
  return new TextEncoder().encode(textOf(content));
}

/** @param {Content} content @returns {string} */
export function textOf(content) {
  if ("text" in content) return content.text;
  if ("repeat" in content) return content.repeat.repeat(content.times);
  if ("length" in content) return textPattern(content.length, content.seed);
  return new TextDecoder().decode(bytesOf(content));
}

/** @param {string | readonly Uint8Array[]} whole @returns {Promise<Told>} */
export async function told(whole) {
  const bytes = typeof whole === "string" ? new TextEncoder().encode(whole) : joined(whole);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const facts = { length: bytes.length, sha256 };
  if (bytes.length > TOLD_BYTES) return facts;
  return typeof whole === "string" ? { ...facts, text: whole } : { ...facts, base64: btoa(String.fromCharCode(...bytes)) };
}

/** @param {number} state */
function next(state) {
  return (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
}

/** Bytes that differ from place to place. @param {number} length @param {number} [seed] @returns {Uint8Array<ArrayBuffer>} */
export function bytePattern(length, seed = 1) {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = next(state);
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** @param {number} length @param {number} seed */
function textPattern(length, seed) {
  const parts = [];
  const encoder = new TextEncoder();
  const sizes = CHARACTERS.map((character) => encoder.encode(character).length);
  let state = seed;
  for (let left = length; left > 0;) {
    state = next(state);
    const which = (state >>> 16) % CHARACTERS.length;
    const fits = sizes[which] <= left;
    parts.push(fits ? CHARACTERS[which] : "a");
    left -= fits ? sizes[which] : 1;
  }
  return parts.join("");
}

/** @param {readonly Uint8Array[]} parts @returns {Uint8Array<ArrayBuffer>} */
export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
