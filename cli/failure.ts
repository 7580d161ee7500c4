import { StreamError, type StreamErrorCode } from "millrace";

/** Exit codes of the command. */
export const EXIT = {
  ok: 0,
  /** A transfer failed. */
  transfer: 1,
  usage: 2,
  connection: 3,
  /** 128 and the signal's number, as in shells. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** Codes of failures: those of streams, and those of the command. */
export type FailureCode =
  | StreamErrorCode
  | "usage"
  | "connection"
  | "absent"
  | "interrupted"
  | "output-closed";

/** Error that ends the command and is printed in one line. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: FailureCode;
  readonly exitCode: number;
  /** Hint, printed in a line of its own. */
  readonly hint?: string;

  constructor(code: FailureCode, message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? exitCodeOf(code);
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** Makes a failure of any thrown value; `action`, if given, names the failed action. */
export function toFailure(error: unknown, action?: string): Failure {
  if (error instanceof Failure) return error;
  const text = oneLine(error instanceof Error ? error.message : String(error));
  const message = action === undefined ? text : withAction(action, text);
  if (!(error instanceof StreamError)) return new Failure("transport", message, { cause: error });
  const inner = error.code === "transport" && error.cause instanceof Error ? ` (${oneLine(error.cause.message)})` : "";
  const hint = HINTS[error.code];
  return new Failure(error.code, message + inner, { cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** Replaces the action in a message of the runtime, and drops the stream id. */
function withAction(action: string, text: string): string {
  const reason = text.replace(/: stream id is "[^"]*"$/, "");
  const failedAction = /^Cannot .+?(?= as |: expected )/;
  return failedAction.test(reason) ? reason.replace(failedAction, `Cannot ${action}`) : `Cannot ${action}: ${reason}`;
}

const HINTS: Partial<Readonly<Record<StreamErrorCode, string>>> = {
  refused: "Nobody there takes streams of this topic: has the receiver the same --topic, and is it running?",
  "unsafe-name": "The sender can give the file another name by --name",
};

function exitCodeOf(code: FailureCode): number {
  if (code === "usage") return EXIT.usage;
  return code === "connection" ? EXIT.connection : EXIT.transfer;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}

/** Signals that end the command. */
export type EndingSignal = "SIGINT" | "SIGTERM";

/** Makes the failure of an interrupted command. */
export function interruptedBy(signal: EndingSignal): Failure {
  return new Failure(
    "interrupted",
    "Interrupted: open transfers were aborted, no partial file is left",
    { exitCode: EXIT[signal] },
  );
}

/** Code of a system error, such as "ENOENT". */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
