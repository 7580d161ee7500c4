import { resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { inBrackets, StreamError } from "../errors.ts";
import { isError, isUrl } from "../protocol/realms.ts";

/** A path as a caller gave it, made absolute. */
export interface GivenPath {
  readonly path: string;
  /** It ended in a slash: what stands there is, or is to be, a folder. */
  readonly folder: boolean;
}

/** Reads a caller's path. Throws a StreamError "invalid-argument" for what is no path; `action` begins its message. */
export function givenPath(given: string | URL, action: string): GivenPath {
  const text = isUrl(given) ? pathOfUrl(given, action) : given;
  if (typeof text !== "string") {
    throw new StreamError(
      "invalid-argument",
      `${action} as its path is neither a string nor a URL: its type is "${typeof text}"`,
    );
  }
  if (text === "") throw new StreamError("invalid-argument", `${action} as its path is empty: path is ""`);
  if (text.includes("\0")) {
    throw new StreamError("invalid-argument", `${action} as its path holds a NUL character: path is ${JSON.stringify(text)}`);
  }
  return { path: resolve(text), folder: text.endsWith("/") || text.endsWith(sep) };
}

function pathOfUrl(url: URL, action: string): string {
  try {
    return fileURLToPath(url.href);
  } catch (cause) {
    throw new StreamError(
      "invalid-argument",
      `${action} as its URL names no local file${inBrackets(cause)}: URL is "${url.href}"`,
      { cause },
    );
  }
}

/** A failure of the file system: `message` says what could not be done and why, `cause` is what the file system said. */
export function fileError(message: string, path: string, cause: unknown): StreamError {
  return new StreamError("file-error", `${message}: path is ${JSON.stringify(path)}`, { cause });
}

/** The cause of a failure that we noticed before the file system had to, shaped as its own errors. */
export function refusal(code: string, reason: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: ${reason}`), { code });
}

/** The code of a file system's error: "ENOENT". */
export function codeOf(error: unknown): string | undefined {
  if (!isError(error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EDQUOT: "the quota is used up",
  EEXIST: "something stands there already",
  EISDIR: "it is a folder",
  ELOOP: "there are too many symbolic links",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "there is no such file or folder",
  ENOSPC: "no space is left",
  ENOTDIR: "a part of its path is not a folder",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only",
};

/** Says in words why the file system refused. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error) ?? ""] ?? `the file system refused${inBrackets(error)}`;
}
