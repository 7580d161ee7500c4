import type { StreamErrorCode } from "../../errors.ts";

/** Reason to end an incoming stream: the code of its error, and the clause of the message that follows "as". */
export interface Fault {
  readonly code: StreamErrorCode;
  readonly why: string;
  /** Reason that a user gave. */
  readonly reason?: string;
}
