import { StreamError } from "../errors.ts";
import { isRecord } from "../common/shapes.ts";
import { show } from "../protocol/options.ts";
import type { Runtime } from "../actors/runtime/runtime.ts";

/** Throws "invalid-argument" unless the value has these calls of a runtime. `makers` are the functions that make one, for the message. */
export function assertRuntime(
  runtime: unknown,
  calls: readonly (string & keyof Runtime)[],
  action: string,
  makers: string,
): asserts runtime is Runtime {
  if (isRecord(runtime) && calls.every((name) => typeof runtime[name] === "function")) return;
  throw new StreamError("invalid-argument", `Cannot ${action}: expected a runtime of ${makers}, got ${show(runtime)}`);
}
