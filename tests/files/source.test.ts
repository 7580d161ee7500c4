import { execFile } from "node:child_process";
import { chmod, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { nodeFileSystem } from "../../files/file_system.ts";
import { mimeTypeOf } from "../../files/mime.ts";
import { DEFAULT_MIME_TYPE } from "../../protocol/constants.ts";
import { openSource } from "../../files/source.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("openSource");

/** Code of the file system's refusal. */
async function fileErrorCause(path: string | URL): Promise<string> {
  const { cause } = await rejection(() => openSource(path), "file-error");
  assert.instance(cause, Error);
  return (cause as Error & { code: string }).code;
}

test("openSource: describes a file by string, URL or relative path", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "a ü%20#.bin");
    await writeFile(path, new Uint8Array(12_345));
    for (const given of [path, pathToFileURL(path), relative(process.cwd(), path)]) {
      const source = await openSource(given);
      assert.equal([source.path, source.name, source.size, source.ref.path], [path, "a ü%20#.bin", 12_345, path]);
      assert.match(source.ref.device, /^\d+$/);
      assert.match(source.ref.inode, /^[1-9]\d*$/);
    }
  }));

test("openSource: an empty file is a file", () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "empty"), "");
    assert.is((await openSource(join(folder, "empty"))).size, 0);
  }));

test("openSource: two names of one file have one identity; a new file in its place has another", () =>
  inTemporaryFolder(async (folder) => {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    await writeFile(one, "1");
    await symlink("one", two);
    const first = await openSource(one);
    const linked = await openSource(two);
    assert.equal([linked.ref.inode, linked.name, linked.path], [first.ref.inode, "two", two]);
    await writeFile(join(folder, "new"), "2");
    await rename(join(folder, "new"), one);
    assert.is.not((await openSource(one)).ref.inode, first.ref.inode);
  }));

test("openSource: a path that is no file is a file-error with its cause", () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "file");
    await writeFile(file, "x");
    await mkdir(join(folder, "folder"));
    await symlink("nowhere", join(folder, "dangling"));
    await symlink("circle", join(folder, "circle"));
    assert.is(await fileErrorCause(join(folder, "missing")), "ENOENT");
    assert.is(await fileErrorCause(join(folder, "dangling")), "ENOENT");
    assert.is(await fileErrorCause(join(folder, "circle")), "ELOOP");
    assert.is(await fileErrorCause(join(folder, "folder")), "EISDIR");
    assert.is(await fileErrorCause(join(folder, "folder") + sep), "EISDIR");
    assert.is(await fileErrorCause(pathToFileURL(join(folder, "folder"))), "EISDIR");
    assert.is(await fileErrorCause(join(file, "below")), "ENOTDIR");
    assert.is(await fileErrorCause(file + sep), "ENOTDIR");
    assert.is(await fileErrorCause(join(folder, "x".repeat(300))), "ENAMETOOLONG");
  }));

test("openSource: devices and pipes are file-errors, without waiting", () =>
  inTemporaryFolder(async (folder) => {
    if (process.platform === "win32") return assert.is(process.platform, "win32"); // has neither
    const fifo = join(folder, "fifo");
    await promisify(execFile)("mkfifo", [fifo]);
    assert.is(await fileErrorCause(fifo), "EINVAL");
    assert.is(await fileErrorCause("/dev/null"), "EINVAL");
    // The path is a regular file when looked at, and a fifo when opened.
    const file = join(folder, "file");
    await writeFile(file, "");
    const raced = { ...nodeFileSystem, stat: () => nodeFileSystem.stat(file) };
    await rejection(() => openSource(fifo, raced), "file-error");
  }));

test("openSource: an unreadable file is a file-error", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "secret");
    await writeFile(path, "x");
    const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
    const error = await rejection(
      () => openSource(path, { ...nodeFileSystem, read: () => Promise.reject(denied) }),
      "file-error",
    );
    assert.is(error.cause, denied);
    assert.is(error.message, `Cannot open the file as permission is denied: path is ${JSON.stringify(path)}`);
    if (process.getuid?.() === 0) return; // who may read everything
    await chmod(path, 0);
    assert.is(await fileErrorCause(path), "EACCES");
  }));

test("openSource: a value that is no path is an invalid argument", async () => {
  const wrong = [
    "",
    "a\0b",
    new URL("https://example.com/x"),
    new URL("file:///a%00b"),
    new URL("data:,x"),
    undefined,
    null,
    5,
    {},
    ["a"],
  ];
  for (const given of wrong as string[]) await rejection(() => openSource(given), "invalid-argument");
  const encoded = await rejection(() => openSource(new URL("file:///a%2Fb")), "invalid-argument");
  assert.instance(encoded.cause, Error);
});

test("openSource: the type follows from the extension only", () => {
  assert.is(mimeTypeOf("a.png"), "image/png");
  assert.is(mimeTypeOf("A.TAR.GZ"), "application/gzip");
  assert.is(mimeTypeOf("data.json"), "application/json");
  for (const name of ["", "png", ".png", "a.", "a.unknown-thing", "a.constructor", "a.__proto__", "a.toString"]) {
    assert.is(mimeTypeOf(name), DEFAULT_MIME_TYPE, name);
  }
});

test.run();
