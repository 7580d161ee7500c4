import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { ByteStreamInfo, Runtime, SendFileOptions } from "millrace";
import type { CliInputStream } from "../environment.ts";
import { Failure } from "../failure.ts";
import { FOLDER_ATTRIBUTE, measureFolder, packFolder, TAR_TYPE } from "./folders.ts";

/** The file name that stands for stdin. */
export const STDIN = "-";

/** A file, a folder or stdin that the command sends. */
export interface Source {
  /** The stream's name. */
  readonly name: string;
  /** Bytes in all, for the progress; of a folder nearly so, of stdin unknown. */
  readonly total?: number;
  /** Paths in it that are not sent. */
  readonly leftOut: readonly string[];
  send(runtime: Runtime, options: SendFileOptions): Promise<ByteStreamInfo>;
  /** Bytes read so far, of a source whose size the stream does not tell. */
  bytesRead(): number;
}

/** Before anybody is made to wait for it. Rejects with a Failure "file-error". */
export async function assertReadable(file: string): Promise<void> {
  if (file === STDIN) return;
  try {
    await stat(file);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "it does not exist" : (cause as Error).message;
    throw new Failure("file-error", `Cannot send the file as ${why}: path is "${file}"`, { cause });
  }
}

/** Opens nothing yet. Rejects with the file system's error. */
export async function sourceOf(file: string, named: string | undefined, stdin: CliInputStream): Promise<Source> {
  if (file === STDIN) return streamSource(named ?? "stdin", stdin as AsyncIterable<Uint8Array>, {});
  const name = named ?? basename(resolve(file));
  const found = await stat(file);
  if (found.isDirectory()) return await folderSource(resolve(file), name);
  return {
    name,
    total: found.size,
    leftOut: [],
    send: (runtime, options) => runtime.sendFile(file, { ...options, name }),
    bytesRead: () => 0,
  };
}

async function folderSource(folder: string, name: string): Promise<Source> {
  const top = name === "" ? "folder" : name; // of "/" there is no name
  const { bytes, leftOut } = await measureFolder(folder);
  return {
    ...streamSource(`${top}.tar`, packFolder(folder, top), {
      mimeType: TAR_TYPE,
      attributes: { [FOLDER_ATTRIBUTE]: `${bytes}` },
    }),
    total: bytes,
    leftOut,
  };
}

function streamSource(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  own: Pick<SendFileOptions, "mimeType" | "attributes">,
): Source {
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  }
  return {
    name,
    leftOut: [],
    send: (runtime, options) =>
      runtime.sendBytes(counted(), { ...own, ...options, name, attributes: { ...options.attributes, ...own.attributes } }),
    bytesRead: () => read,
  };
}
