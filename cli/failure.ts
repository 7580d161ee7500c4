import { StreamError, type StreamErrorCode } from "millrace";

/** Exit codes of the command. */
export const EXIT = {
  ok: 0,
  /** Something that was to be sent or received was not. */
  transfer: 1,
  usage: 2,
  connection: 3,
  /** 128 and the signal's number, as shells have it. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** Codes of errors that no stream has. */
export type FailureCode =
  | StreamErrorCode
  | "usage"
  | "connection"
  | "absent"
  | "interrupted"
  | "output-closed";

/** Error that is told to the user in one line and ends the command. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: FailureCode;
  readonly exitCode: number;
  /** Hint that is printed in a line of its own. */
  readonly hint?: string;

  constructor(code: FailureCode, message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? exitCodeOf(code);
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** Anything that was thrown, as a failure; of an action, if it is said. */
export function toFailure(error: unknown, action?: string): Failure {
  if (error instanceof Failure) return error;
  const text = oneLine(error instanceof Error ? error.message : String(error));
  const message = action === undefined ? text : retold(action, text);
  if (!(error instanceof StreamError)) return new Failure("transport", message, { cause: error });
  const inner = error.code === "transport" && error.cause instanceof Error ? ` (${oneLine(error.cause.message)})` : "";
  const hint = HINTS[error.code];
  return new Failure(error.code, message + inner, { cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** The runtime speaks of a stream and its id; who typed the name of a file knows that. */
function retold(action: string, text: string): string {
  const why = text.replace(/: stream id is "[^"]*"$/, "");
  return /^Cannot .+? as /.test(why) ? why.replace(/^Cannot .+? as /, `Cannot ${action} as `) : `Cannot ${action}: ${why}`;
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

/** The signals that end the command. */
export type EndingSignal = "SIGINT" | "SIGTERM";

export function interruptedBy(signal: EndingSignal): Failure {
  return new Failure(
    "interrupted",
    "Interrupted: what was under way is aborted, no half file is left",
    { exitCode: EXIT[signal] },
  );
}
