import type { ConnectionReceiveWindow } from "../../protocol/flow/credit.ts";
import type { MemoryAccount } from "../../protocol/memory_account.ts";
import type { StreamContext } from "../common/context.ts";
import type { IncomingStream } from "./stream.ts";

/** What a stream that comes in needs of its runtime. */
export interface IncomingContext {
  readonly stream: StreamContext;
  /** Of a Millrace sender: the credit that its streams share. */
  readonly shared: ConnectionReceiveWindow | undefined;
  /** Charged with what is held for it. */
  readonly memory: MemoryAccount;
  /** The sender is to be told how the stream stands. */
  notify(stream: IncomingStream): void;
  /** The stream's window is its handler's now. */
  widened(stream: IncomingStream): void;
  /** The stream has ended. */
  ended(stream: IncomingStream): void;
  /** It was sent to this runtime by name, and has ended as there was no handler for it. */
  unhandled(stream: IncomingStream): void;
  /** Bytes were taken: the shared credit may rise. */
  consumed(): void;
}
