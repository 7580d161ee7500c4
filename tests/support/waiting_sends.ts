// Runtimes whose sends wait for a receiver that takes no more streams.
import type { ByteStreamReader, StreamError } from "../../mod.ts";
import type { Member } from "./hub_fixture.ts";

/** Topic "t" at a member: readers that nobody reads. */
export function hoard({ runtime }: Member): ByteStreamReader[] {
  const readers: ByteStreamReader[] = [];
  runtime.registerByteStreamHandler("t", (reader) => void readers.push(reader));
  return readers;
}

export const toBob = { topic: "t", destinationIdentities: ["bob"] };

/** How a promise ended, once it has. */
export function outcomeOf(promise: Promise<unknown>): { code?: string } {
  const outcome: { code?: string } = {};
  promise.then(() => (outcome.code = "done"), (error: StreamError) => (outcome.code = error.code));
  return outcome;
}
