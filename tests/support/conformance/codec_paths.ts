// Files by path for codecs on Node, Bun and Deno, and what holds for these only.
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { FileRef } from "../../../protocol/file_ref.ts";
import type { Codec } from "../../../workers/codec.ts";
import { suite } from "../harness.ts";
import { rejection } from "../rejections.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";
import { filled, type MadeCodec, withCodec, type WithFiles } from "./codec.ts";

/** Files by path. */
export const withPaths: WithFiles = (body) =>
  inTemporaryFolder(async (folder) => {
    let made = 0;
    const make = (content: Uint8Array): Promise<FileRef & { path: string }> => written(join(folder, `file ${++made}`), content);
    await body({
      readable: make,
      writable: async () => {
        const ref = await make(new Uint8Array(0));
        return {
          ref,
          contents: async (bytes) => {
            const contents = new Uint8Array(await readFile(ref.path));
            assert.is(contents.length, bytes);
            return contents;
          },
        };
      },
    });
  });

/** Declares and runs the suite of files by path. */
export function codecPathConformance(name: string, make: () => MadeCodec): void {
  const test = suite(`${name}, with files by path`);

  function check(title: string, body: (codec: Codec, folder: string) => Promise<void>): void {
    test(title, () => inTemporaryFolder((folder) => withCodec(make, (codec) => body(codec, folder))));
  }

  check("Codec.writeFile(): leaves the bytes of a file that it refuses to write", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("as it was"));
    const span = filled(codec, new Uint8Array(40_000));
    await rejection(() => codec.writeFile(file, 0, span, new Uint8Array(32)), "corrupt");
    const options = { signal: AbortSignal.abort("no need") };
    await rejection(() => codec.writeFile(file, 0, span, undefined, options), "aborted");
    assert.is(await readFile(file.path, "utf8"), "as it was");
    span.segment.release();
  });

  check("Codec.readFile(), writeFile(): a replaced file is neither read nor written", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("first"));
    await written(join(folder, "other"), Buffer.from("other"));
    await rename(join(folder, "other"), file.path);
    const span = filled(codec, new Uint8Array(5));
    await rejection(() => codec.writeFile(file, 0, span), "file-error");
    await rejection(() => codec.readFile(file, { position: 0, length: 5 }, span), "file-error");
    assert.is(await readFile(file.path, "utf8"), "other");
    span.segment.release();
  });

  check("Codec.writeFile(): never writes through a symbolic link, even to the same file", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("first"));
    await rename(file.path, join(folder, "moved"));
    await symlink(join(folder, "moved"), file.path);
    const span = filled(codec, new Uint8Array(5));
    await rejection(() => codec.writeFile(file, 0, span), "file-error");
    assert.is(await readFile(file.path, "utf8"), "first");
    span.segment.release();
  });

  check("Codec.readFile(), writeFile(): the file system's error is the cause", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("first"));
    await rm(file.path);
    const span = filled(codec, new Uint8Array(5));
    for (const call of [() => codec.writeFile(file, 0, span), () => codec.readFile(file, { position: 0, length: 5 }, span)]) {
      const error = await rejection(call, "file-error");
      assert.is((error.cause as NodeJS.ErrnoException).code, "ENOENT");
    }
    const directory: FileRef = { ...file, path: folder };
    await rejection(() => codec.readFile(directory, { position: 0, length: 5 }, span), "file-error");
    span.segment.release();
  });

  check("Codec.readFile(): reads a shrunken file up to its end", async (codec, folder) => {
    const file = await written(join(folder, "file"), randomBytes(10_000));
    await truncate(file.path, 10);
    const segment = codec.segments.acquire();
    assert.is((await codec.readFile(file, { position: 0, length: 10_000 }, { segment, start: 0 })).bytes, 10);
    segment.release();
  });

  test.run();
}

async function written(path: string, content: Uint8Array): Promise<FileRef & { path: string }> {
  await writeFile(path, content);
  const { dev, ino } = await stat(path, { bigint: true });
  return { path, device: String(dev), inode: String(ino) };
}
