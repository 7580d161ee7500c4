// Failures as plain data that crosses threads, and checks of files that a job opens again.
import { causeText, inBrackets, StreamError, type StreamErrorCode } from "../../errors.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import { isError } from "../../common/realms.ts";

/** Failure of a job: the fields of a StreamError. */
export interface Failure {
  readonly code: StreamErrorCode;
  readonly message: string;
  readonly cause?: SystemFailure;
}

/** Fields of a file system's error: in Node `code` is "ENOENT", for example, in a page `name` is "QuotaExceededError". */
interface SystemFailure {
  readonly message: string;
  readonly name?: string;
  readonly code?: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly path?: string;
}

export function changedFailure(file: FileRef): Failure {
  return { code: "file-error", message: `Cannot read the file as it has changed since it was opened: path is "${file.path}"` };
}

export function replacedFailure(file: FileRef): Failure {
  return {
    code: "file-error",
    message: `Cannot use the file as another one has taken its place: path is "${file.path}"`,
  };
}

export function fileFailure(action: string, file: FileRef, error: unknown): Failure {
  const cause = systemFailure(error);
  return {
    code: "file-error",
    message: `Cannot ${action} the file as the file system refused (${causeText(cause)}): path is "${file.path}"`,
    cause,
  };
}

/** Creates the StreamError of a failure. */
export function toStreamError(failure: Failure): StreamError {
  if (failure.cause === undefined) return new StreamError(failure.code, failure.message);
  const { message, ...rest } = failure.cause;
  return new StreamError(failure.code, failure.message, { cause: Object.assign(new Error(message), rest) });
}

function systemFailure(error: unknown): SystemFailure {
  if (!isError(error)) return { message: String(error) };
  const { message, name, code, errno, syscall, path } = error as Error & Partial<SystemFailure>;
  return {
    message,
    ...(name === "Error" ? {} : { name }),
    ...(typeof code === "string" ? { code } : {}), // a DOMException has a number, of no use beside its name
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(path === undefined ? {} : { path }),
  };
}

/** Error of a job that its caller gave up. */
export function abandoned(signal: AbortSignal): StreamError {
  return new StreamError("aborted", `Cannot finish the job as it was aborted${inBrackets(signal.reason)}`, {
    cause: signal.reason,
  });
}
