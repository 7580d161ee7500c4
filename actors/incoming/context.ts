import type { ConnectionReceiveWindow } from "../../protocol/flow/credit.ts";
import type { MemoryAccount } from "../../protocol/memory_account.ts";
import type { StreamContext } from "../common/context.ts";

/** Environment of an incoming stream: its runtime's, and calls on its session. */
export interface IncomingContext {
  readonly stream: StreamContext;
  /** Credit that the streams of a Millrace sender share; undefined for another SDK. */
  readonly shared: ConnectionReceiveWindow | undefined;
  /** Account of the sender's memory. */
  readonly memory: MemoryAccount;
  /** Queues a state packet with the stream's state for the sender. */
  notify(): void;
  /** Counts the stream's window, which has changed. */
  widened(): void;
  /** Bytes by which windows of the sender's streams may grow. */
  spareWindow(): number;
  /** Forgets the stream, which has ended. */
  ended(): void;
  /** Reports a targeted stream without a handler. */
  unhandled(): void;
  /** Raises the shared credit after bytes were consumed. */
  consumed(): void;
}
