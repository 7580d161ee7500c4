// Environment of the command: streams, variables, signals and connections. Tests replace it.
import type { Readable, Writable } from "node:stream";
import type { Transport } from "millrace";
import type { Credentials } from "./room/credentials.ts";

/** Output stream that may be a terminal. */
export type CliOutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};
/** Input stream that may be a terminal. */
export type CliInputStream = Readable & { readonly isTTY?: boolean };

/** Connection to a room. */
export interface Connection {
  readonly transport: Transport;
  /** Leaves the room. */
  readonly leave: () => Promise<void>;
}

/** Environment of the command. */
export interface CliEnvironment {
  readonly stdin: CliInputStream;
  readonly stdout: CliOutputStream;
  readonly stderr: CliOutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Signal that SIGINT and SIGTERM abort; its reason is a Failure. */
  readonly signal: AbortSignal;
  /** Aborts the signal, like Ctrl-C. */
  readonly interrupt: () => void;
  /** Time between lines of progress if stderr is not a terminal, in ms. Default: 5,000. */
  readonly progressInterval?: number;
  /** Time without a byte after which a stalled sender loses its slot to another, in ms. Default: 10,000. */
  readonly stallTime?: number;
  /** Joins a room. */
  connect(credentials: Credentials, signal: AbortSignal): Promise<Connection>;
}
