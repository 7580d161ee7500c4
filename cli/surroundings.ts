// What the command takes from outside: a process gives its own, a test what it likes.
import type { Readable, Writable } from "node:stream";
import type { Transport } from "millrace";
import type { Credentials } from "./credentials.ts";

/** A stream that may be a terminal. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};
export type Input = Readable & { readonly isTTY?: boolean };

/** A participant's place in a room. */
export interface Connection {
  readonly transport: Transport;
  /** Leaves the room. */
  readonly leave: () => Promise<void>;
}

export interface Surroundings {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by a signal of the system; its reason is a Failure. */
  readonly signal: AbortSignal;
  /** As Ctrl-C. */
  readonly interrupt: () => void;
  connect(credentials: Credentials, signal: AbortSignal): Promise<Connection>;
}
