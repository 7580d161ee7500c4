// The process around the command: its streams, variables and signals. A test gives its own.
import type { Readable, Writable } from "node:stream";
import type { Transport } from "millrace";
import type { Credentials } from "./room/credentials.ts";

/** A stream that may be a terminal. */
export type CliOutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};
export type CliInputStream = Readable & { readonly isTTY?: boolean };

/** A participant's place in a room. */
export interface Connection {
  readonly transport: Transport;
  /** Leaves the room. */
  readonly leave: () => Promise<void>;
}

export interface CliEnvironment {
  readonly stdin: CliInputStream;
  readonly stdout: CliOutputStream;
  readonly stderr: CliOutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by a signal of the system; its reason is a Failure. */
  readonly signal: AbortSignal;
  /** As Ctrl-C. */
  readonly interrupt: () => void;
  /** Milliseconds between lines of progress, where stderr is no terminal; 5,000 by default. */
  readonly progressInterval?: number;
  /** Milliseconds without a byte after which a sender gives way to another; 10,000 by default. */
  readonly stallTime?: number;
  connect(credentials: Credentials, signal: AbortSignal): Promise<Connection>;
}
