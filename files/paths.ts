import { resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { inBrackets, StreamError } from "../errors.ts";
import { isError, isUrl } from "../common/realms.ts";

/** A caller's path, made absolute. */
export interface GivenPath {
  readonly path: string;
  /** True if the path ended in a slash, and so names a folder. */
  readonly folder: boolean;
}

/** Reads a caller's path. Throws StreamError "invalid-argument" for an invalid one; `action` begins the message. */
export function givenPath(given: unknown, action: string): GivenPath {
  const text = isUrl(given) ? pathOfUrl(given, action) : given;
  if (typeof text !== "string") {
    throw new StreamError(
      "invalid-argument",
      `${action} as the path must be a string or a URL: its type is "${typeof text}"`,
    );
  }
  if (text === "") throw new StreamError("invalid-argument", `${action} as the path must be a non-empty string: path is ""`);
  if (text.includes("\0")) {
    throw new StreamError(
      "invalid-argument",
      `${action} as the path must be free of NUL characters: path is ${JSON.stringify(text)}`,
    );
  }
  return { path: resolve(text), folder: text.endsWith("/") || text.endsWith(sep) };
}

function pathOfUrl(url: URL, action: string): string {
  try {
    return fileURLToPath(url.href);
  } catch (cause) {
    throw new StreamError(
      "invalid-argument",
      `${action} as the URL must name a local file${inBrackets(cause)}: URL is "${url.href}"`,
      { cause },
    );
  }
}

/** Makes a "file-error". `message` says which action failed and why, `cause` is the file system's error. */
export function fileError(message: string, path: string, cause: unknown): StreamError {
  return new StreamError("file-error", `${message}: path is ${JSON.stringify(path)}`, { cause });
}

/** Makes an error like those of the file system, for a problem that was found before a call. */
export function refusal(code: string, reason: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: ${reason}`), { code });
}

/** Code of a file system's error, such as "ENOENT". */
export function codeOf(error: unknown): string | undefined {
  if (!isError(error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EDQUOT: "the quota is used up",
  EEXIST: "the path is taken",
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

/** Describes in words why the file system refused. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error) ?? ""] ?? `the file system refused${inBrackets(error)}`;
}
