// Node's modules and globals that the core uses: the one file to replace for another platform.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { clearInterval, setInterval } from "node:timers";

/** Running sha256. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
  digest(encoding: "base64"): string;
}

/** Starts a sha256. */
export function createSha256(): Sha256 {
  return createHash("sha256");
}

/** True if both arrays have the same bytes. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Encodes bytes as base64, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Decodes base64. Accepts other alphabets, missing padding and any other text. */
export function decodeBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

/** Size of a text as UTF-8, in bytes; a lone surrogate counts as U+FFFD. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}

/** Handle of a call in the next turn of the event loop. */
export type NextTurn = ReturnType<typeof setImmediate>;

/** Calls a function in the next turn of the event loop, after due timers and I/O. */
export function callNextTurn(call: () => void): NextTurn {
  return setImmediate(call);
}

/** Cancels a call of {@linkcode callNextTurn}. */
export function cancelNextTurn(handle: NextTurn): void {
  clearImmediate(handle);
}

/** Calls a function every `ms` milliseconds, without keeping the process alive; returns the call that stops the timer. */
export function repeat(call: () => void, ms: number): () => void {
  const timer = setInterval(call, ms);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whether the program may read a file, or all files, without Deno asking the user. */
export function mayRead(file?: URL): boolean {
  const { Deno: deno } = globalThis as { Deno?: { permissions: { querySync(of: object): { state: string } } } };
  if (deno === undefined) return true;
  try {
    return deno.permissions.querySync({ name: "read", ...(file === undefined ? {} : { path: file }) }).state === "granted";
  } catch {
    return false;
  }
}
