// Codecs of a page: the contract of all, and of files that have changed since they were chosen.
import * as assert from "uvu/assert";
import { createPartFile } from "../../../files/web/create_part_file.ts";
import { openSource } from "../../../files/web/source.ts";
import {
  codecConformance,
  type CodecFiles,
  type FileToWrite,
  filled,
  type MadeCodec,
  withCodec,
  type WithFiles,
} from "../../support/conformance/codec.ts";
import { suite } from "../../support/browser/page_harness.ts";
import { createCodecPool, createInlineCodec } from "../../support/browser/page_platform.ts";
import { rejection } from "../../support/rejections.ts";

/** Longest name of a test's file, in bytes. */
const NAME_BYTES = 100;

const CODECS: readonly (readonly [string, () => MadeCodec])[] = [
  ["a page's pool", () => createCodecPool({ size: 2 })],
  ["a page's inline codec", createInlineCodec],
];

/** Files of the page: Blobs that are read, and parts of files in the origin's private file system that are written. */
const withPageFiles: WithFiles = async (body) => {
  const readable: CodecFiles["readable"] = async (content) =>
    (await openSource(new File([content as Uint8Array<ArrayBuffer>], "a file"))).ref;
  if (!isSecureContext) return await body({ readable, writable: () => Promise.resolve(inMemory()) });
  await inFolder(async (folder) => {
    let made = 0;
    await body({ readable, writable: () => inPart(folder, `file ${++made}`) });
  });
};

for (const [name, make] of CODECS) {
  codecConformance(name, make, withPageFiles);
  if (!isSecureContext) continue; // no file system, so no file that changes
  suite(name)(
    "Codec.readFile(): a file that was written to since it was chosen is a file-error",
    () =>
      inFolder((folder) =>
        withCodec(make, async (codec) => {
          const handle = await folder.getFileHandle("growing", { create: true });
          await replace(handle, 50_000);
          const { ref } = await openSource(await handle.getFile());
          await replace(handle, 100_000);
          const span = filled(codec, new Uint8Array(100_000));
          const error = await rejection(() => codec.readFile(ref, { position: 0, length: 100_000 }, span), "file-error");
          assert.match((error.cause as Error).name, /^(NotReadable|Abort)Error$/); // Chromium's, Firefox's
          span.segment.release();
        })
      ),
  );
}

async function inFolder(body: (folder: FileSystemDirectoryHandle) => Promise<void>): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const name = crypto.randomUUID();
  try {
    await body(await root.getDirectoryHandle(name, { create: true }));
  } finally {
    await root.removeEntry(name, { recursive: true });
  }
}

async function inPart(folder: FileSystemDirectoryHandle, name: string): Promise<FileToWrite> {
  const part = await createPartFile(folder, { name, overwrite: false, nameBytes: NAME_BYTES });
  return {
    ref: part.ref,
    contents: async (bytes) => {
      const path = await part.commit(bytes);
      return new Uint8Array(await (await (await folder.getFileHandle(path)).getFile()).arrayBuffer());
    },
  };
}

/** A file for a page without a secure context, which has no file system. */
function inMemory(): FileToWrite {
  let written = new Uint8Array(0);
  return {
    ref: {
      path: "in memory",
      write: (bytes, position) => {
        const grown = new Uint8Array(Math.max(written.length, position + bytes.length));
        grown.set(written);
        grown.set(bytes, position);
        written = grown;
        return Promise.resolve();
      },
    },
    contents: (bytes) => {
      assert.is(written.length, bytes);
      return Promise.resolve(written);
    },
  };
}

async function replace(handle: FileSystemFileHandle, bytes: number): Promise<void> {
  const writer = await handle.createWritable();
  await writer.write(new Uint8Array(bytes));
  await writer.close();
}
