import type { StreamErrorCode } from "../../errors.ts";

/** Reason to end an incoming stream: the error's code, and the clause that follows "as" in its message. */
export interface Fault {
  readonly code: StreamErrorCode;
  readonly why: string;
  /** Text given by a user. */
  readonly reason?: string;
}
