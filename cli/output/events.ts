// Events that `--json` prints, one object per line. They are an interface for programs.
import type { Progress, RuntimeStats } from "millrace";
import type { Examination } from "millrace/diagnostics";
import type { FailureCode } from "../failure.ts";

/** Outcome of a transfer at one receiver. `bytes` is absent for receivers without receipts, such as other SDKs. */
export interface Delivery {
  identity: string;
  bytes?: number;
  error?: string;
}

/** Event of the command. */
export type CliEvent =
  | { event: "ready"; room: string; identity: string; topic: string }
  | ({
    event: "progress";
    direction: "send" | "receive";
    file: string;
    identity?: string;
  } & Progress)
  | {
    event: "sent";
    streamId: string;
    file?: string;
    name?: string;
    text?: string;
    bytes?: number;
    receivers: Delivery[];
  }
  | {
    event: "received";
    from: string;
    streamId: string;
    name: string;
    mimeType: string;
    attributes: Record<string, string>;
    path: string;
    bytes: number;
  }
  | {
    event: "message";
    from: string;
    streamId: string;
    text: string;
    timestamp: number;
    attributes: Record<string, string>;
  }
  | { event: "joined" | "left"; identity: string }
  | { event: "stats"; stats: RuntimeStats }
  | { event: "examined"; to: string; examination: Examination }
  | {
    event: "error";
    code: FailureCode;
    message: string;
    hint?: string;
    file?: string;
    from?: string;
  };
