import { isCount } from "../../common/shapes.ts";
import { assertNamedOptions } from "../../protocol/options.ts";

/** Calls of a runtime that chats use. */
export const CHAT_CALLS = ["request", "registerRequestHandler"] as const;

const TOPIC = [(value: unknown) => typeof value === "string", "a string"] as const;
const MS = [(value: unknown) => typeof value === "number" && value > 0, "a positive number of milliseconds"] as const;
const FUNCTION = [(value: unknown) => typeof value === "function", "a function"] as const;

/** Throws "invalid-argument" unless the value holds options of a server of chats. */
export function assertServerOptions(options: unknown): void {
  const keptBytes = [isCount, "a count of bytes"] as const;
  assertNamedOptions(options, { topic: TOPIC, keptBytes, readerMs: MS, onError: FUNCTION }, [], "serve chats");
}

/** Throws "invalid-argument" unless the value holds options of a client of chats. */
export function assertClientOptions(options: unknown): void {
  const identity = [(value: unknown) => typeof value === "string" && value !== "", "a non-empty string"] as const;
  assertNamedOptions(options, { identity, topic: TOPIC, timeout: MS }, [], "make the chat's transport", ["identity"]);
}
