import { StreamError } from "../../errors.ts";
import { isCount, isRecord } from "../../common/shapes.ts";
import { assertNamedOptions, show } from "../../protocol/options.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";

const TOPIC = [(value: unknown) => typeof value === "string", "a string"] as const;
const MS = [(value: unknown) => typeof value === "number" && value > 0, "a positive number of milliseconds"] as const;
const FUNCTION = [(value: unknown) => typeof value === "function", "a function"] as const;

/** Throws "invalid-argument" unless the value is a runtime. */
export function assertRuntime(runtime: unknown, action: string): asserts runtime is Runtime {
  if (isRecord(runtime) && typeof runtime["request"] === "function" && typeof runtime["registerRequestHandler"] === "function") {
    return;
  }
  throw new StreamError("invalid-argument", `Cannot ${action}: expected a runtime of createRuntime, got ${show(runtime)}`);
}

/** Throws "invalid-argument" unless the value holds options of a server of chats. */
export function assertServerOptions(options: unknown): void {
  const keptBytes = [(value: unknown) => isCount(value), "a count of bytes"] as const;
  assertNamedOptions(options, { topic: TOPIC, keptBytes, readerMs: MS, onError: FUNCTION }, [], "serve chats");
}

/** Throws "invalid-argument" unless the value holds options of a client of chats. */
export function assertClientOptions(options: unknown): void {
  const identity = [(value: unknown) => typeof value === "string" && value !== "", "a non-empty string"] as const;
  assertNamedOptions(options, { identity, topic: TOPIC, timeout: MS }, [], "make the chat's transport");
  if ((options as { identity?: unknown }).identity !== undefined) return;
  throw new StreamError(
    "invalid-argument",
    'Cannot make the chat\'s transport as "identity" must be a non-empty string: got undefined',
  );
}
