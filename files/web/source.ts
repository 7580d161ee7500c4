import { StreamError } from "../../errors.ts";
import { isBlob, isFile } from "../../common/realms.ts";
import type { FileToSend } from "../../protocol/files.ts";
import type { FileSource } from "../file_access.ts";
import { fileError, isFileHandle } from "./handles.ts";

/**
 * Opens a page's file to send; workers read it. The file is read as it was at this moment: the browser refuses to read one that has changed.
 *
 * Rejects with StreamError "file-error" and `cause` if the handle's file cannot be read, and with "invalid-argument" for other values.
 */
export async function openSource(given: FileToSend): Promise<FileSource> {
  if (isFileHandle(given)) {
    try {
      return sourceOf(await given.getFile(), given.name);
    } catch (cause) {
      throw fileError("open", given.name, cause);
    }
  }
  if (isBlob(given)) return sourceOf(given, isFile(given) ? given.name : "");
  throw new StreamError(
    "invalid-argument",
    `Cannot open the file as a page has no paths: it must be a File or a FileSystemFileHandle, its type is "${typeof given}"`,
  );
}

function sourceOf(blob: Blob, name: string): FileSource {
  return {
    ref: { path: name, blob },
    name,
    size: blob.size,
    contents: () => blob.stream() as unknown as AsyncIterable<Uint8Array>,
  };
}
