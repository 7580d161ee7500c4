import type { CodecPool } from "./options.ts";
import { createCodecPool } from "./pool.ts";

let shared: CodecPool | undefined;

/** The pool of the process, created on first use. Never closed: idle workers do not keep the process alive. */
export function sharedCodecPool(): CodecPool {
  shared ??= createCodecPool();
  return shared;
}
