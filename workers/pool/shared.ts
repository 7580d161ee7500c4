import type { CodecPool } from "./options.ts";
import { createCodecPool } from "./pool.ts";

let shared: CodecPool | undefined;

/** The process's own pool, made when first asked for. Nobody closes it: its idle workers do not hold the process. */
export function sharedCodecPool(): CodecPool {
  shared ??= createCodecPool();
  return shared;
}
