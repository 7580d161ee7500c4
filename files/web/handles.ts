import { inBrackets, StreamError } from "../../errors.ts";
import { isRecord } from "../../common/shapes.ts";
import type { PageFileHandle, PageFolder } from "../../protocol/files.ts";

/** Whether a value is a `FileSystemFileHandle`, or has its members. */
export function isFileHandle(value: unknown): value is PageFileHandle {
  return isRecord(value) && value["kind"] === "file" && typeof value["getFile"] === "function";
}

/** Whether a value is a `FileSystemDirectoryHandle`, or has its members. */
export function isFolder(value: unknown): value is PageFolder {
  return isRecord(value) && value["kind"] === "directory" && typeof value["getFileHandle"] === "function";
}

/** Makes a "file-error" with the browser's error as cause. */
export function fileError(action: string, name: string, cause: unknown): StreamError {
  const message = `Cannot ${action} the file as the browser refused${inBrackets(cause)}: name is ${JSON.stringify(name)}`;
  return new StreamError("file-error", message, { cause });
}
