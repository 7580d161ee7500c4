import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { ByteStreamInfo, Runtime, SendFileOptions } from "millrace";
import type { CliInputStream } from "../environment.ts";
import { codeOf, Failure } from "../failure.ts";
import { FOLDER_ATTRIBUTE, measureFolder, packFolder, TAR_TYPE } from "./folders.ts";

/** Argument that means stdin. */
export const STDIN = "-";

/** File, folder or stdin to send. */
export interface Source {
  /** Name of the stream. */
  readonly name: string;
  /** Size for the progress, in bytes: estimated for a folder, unknown for stdin. */
  readonly total?: number;
  /** Paths that are not sent. */
  readonly leftOut: readonly string[];
  /** Sends the source. */
  send(runtime: Runtime, options: SendFileOptions): Promise<ByteStreamInfo>;
  /** Number of bytes read so far; 0 for a file, whose stream has a size. */
  bytesRead(): number;
}

/** Checks that a file exists before the command waits for receivers. Rejects with Failure "file-error". */
export async function assertReadable(file: string): Promise<void> {
  if (file === STDIN) return;
  try {
    await stat(file);
  } catch (cause) {
    const reason = codeOf(cause) === "ENOENT" ? "it must exist" : (cause as Error).message;
    throw new Failure("file-error", `Cannot send the file as ${reason}: path is "${file}"`, { cause });
  }
}

/** Makes a source without opening it. Rejects with the file system's error. */
export async function sourceOf(file: string, givenName: string | undefined, stdin: CliInputStream): Promise<Source> {
  if (file === STDIN) return streamSource(givenName ?? "stdin", stdin as AsyncIterable<Uint8Array>, {});
  const name = givenName ?? basename(resolve(file));
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
  const top = name === "" ? "folder" : name; // "/" has no name
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
