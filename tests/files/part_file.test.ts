import { lstat, mkdir, readdir, readlink, rename, rm, rmdir, symlink, unlink, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { nodeFileSystem } from "../../files/file_system.ts";
import { suite } from "../support/harness.ts";
import { begin, causeCode, failing, finish, text } from "../support/part_files.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import type { FileSystem } from "../../files/file_system.ts";

const test = suite("PartFile");

test("PartFile: no file has the final name until the content is whole", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out.bin");
    const part = await begin(path);
    assert.is(part.finalPath, path);
    const [only, ...others] = await readdir(folder);
    assert.equal([join(folder, only ?? ""), others], [part.ref.path, []]);
    assert.match(only ?? "", /^out\.bin\.([0-9a-f]{12}-\d+-\d+\.)?[0-9a-f-]{36}\.part$/);
    assert.is(await finish(part, "whole"), path);
    assert.equal(await readdir(folder), ["out.bin"]);
    assert.is(await text(path), "whole");
  }));

test("PartFile.ref: holds device and inode of the file itself", () =>
  inTemporaryFolder(async (folder) => {
    const part = await begin(join(folder, "out.bin"));
    const seen = await lstat(part.ref.path, { bigint: true });
    assert.equal([part.ref.device, part.ref.inode], [String(seen.dev), String(seen.ino)]);
    await part.discard();
  }));

test("createPartFile: accepts relative paths and URLs", () =>
  inTemporaryFolder(async (folder) => {
    const [one, two] = [join(folder, "one"), join(folder, "two ü#")];
    assert.is(await finish(await begin(relative(process.cwd(), one)), "1"), one);
    assert.is(await finish(await begin(pathToFileURL(two)), "2"), two);
    assert.equal([await text(one), await text(two)], ["1", "2"]);
  }));

test("PartFile: the mode follows the umask, as for any new file", () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "any"), "");
    await finish(await begin(join(folder, "ours")), "");
    assert.is((await lstat(join(folder, "ours"))).mode, (await lstat(join(folder, "any"))).mode);
  }));

test("createPartFile: a folder takes the sender's name, made safe; a name in use gets a number", () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "report.pdf"), "old");
    const part = await begin(folder, { name: "../../report.pdf" });
    assert.is(part.finalPath, join(folder, "report.pdf"));
    assert.is(await finish(part, "second"), join(folder, "report (2).pdf"));
    assert.is(await finish(await begin(folder + sep), "third"), join(folder, "report (3).pdf"));
    assert.equal((await readdir(folder)).sort(), ["report (2).pdf", "report (3).pdf", "report.pdf"]);
    assert.is(await text(join(folder, "report.pdf")), "old");
    const over = await begin(pathToFileURL(folder + sep), { overwrite: true });
    assert.is(await text(join(folder, "report.pdf")), "old", "until the new one is whole");
    assert.is(await finish(over, "fourth"), join(folder, "report.pdf"));
    assert.equal((await readdir(folder)).sort(), ["report (2).pdf", "report (3).pdf", "report.pdf"]);
    assert.is(await text(join(folder, "report.pdf")), "fourth");
  }));

test("PartFile: files of one name at once each keep their bytes under their own name", () =>
  inTemporaryFolder(async (folder) => {
    const words = Array.from({ length: 20 }, (_, index) => `file ${index}`);
    const parts = await Promise.all(words.map(() => begin(folder)));
    const paths = await Promise.all(parts.map((part, index) => finish(part, words[index] ?? "")));
    assert.is(new Set(paths).size, 20);
    assert.equal(await Promise.all(paths.map(text)), words);
    assert.is((await readdir(folder)).length, 20);
  }));

test("PartFile: a number whose file was removed is free again", () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "report.pdf"), "");
    for (let round = 0; round < 3; round++) {
      const path = await finish(await begin(folder), "x");
      assert.is(path, join(folder, "report (2).pdf"));
      await unlink(path);
    }
  }));

test("PartFile: after 1,000 files of one name, the next needs a few lookups only", () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "report.pdf"), "");
    for (let number = 2; number <= 1_000; number++) await writeFile(join(folder, `report (${number}).pdf`), "");
    let calls = 0;
    const files: FileSystem = { ...nodeFileSystem, lstat: (path) => (calls++, nodeFileSystem.lstat(path)) };
    assert.is(await finish(await begin(folder, { files }), "x"), join(folder, "report (1001).pdf"));
    assert.ok(calls <= 30, `${calls} looks`);
  }));

test("PartFile: symbolic links and folders occupy a name too", () =>
  inTemporaryFolder(async (folder) => {
    await symlink("nowhere", join(folder, "report.pdf"));
    await mkdir(join(folder, "report (2).pdf"));
    assert.is(await finish(await begin(folder), "x"), join(folder, "report (3).pdf"));
    assert.not((await readdir(folder)).includes("nowhere"));
  }));

test("createPartFile: makes a path that ends in a slash, and removes that if nothing was saved", () =>
  inTemporaryFolder(async (folder) => {
    const deep = join(folder, "a", "b", "c") + sep;
    await (await begin(deep)).discard();
    assert.equal(await readdir(folder), []);
    await mkdir(join(folder, "a"));
    await (await begin(deep)).discard();
    assert.equal([await readdir(folder), await readdir(join(folder, "a"))], [["a"], []]);
    const [kept, dropped] = [await begin(deep), await begin(deep)];
    await finish(kept, "x");
    await dropped.discard();
    assert.equal(await readdir(deep), ["report.pdf"]);
  }));

test("createPartFile: an unsafe name leaves no file behind", () =>
  inTemporaryFolder(async (folder) => {
    await rejection(() => begin(join(folder, "new") + sep, { name: "../.." }), "unsafe-name");
    assert.equal(await readdir(folder), []);
  }));

test("createPartFile: a full path that exists is file-exists, at once", () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "file"), "old");
    await symlink("nowhere", join(folder, "dangling"));
    await symlink("circle", join(folder, "circle"));
    for (const name of ["file", "dangling", "circle"]) await rejection(() => begin(join(folder, name)), "file-exists");
    assert.equal((await readdir(folder)).sort(), ["circle", "dangling", "file"]);
  }));

test("PartFile.commit(): a path taken in the meantime is file-exists, and keeps its content", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out.bin");
    const part = await begin(path);
    await writeFile(path, "theirs");
    await rejection(() => finish(part, "ours"), "file-exists");
    assert.equal([await text(path), await readdir(folder)], ["theirs", ["out.bin"]]);
    await part.discard();
    await rejection(() => part.commit(4), "closed");
  }));

test("PartFile.commit() with overwrite: replaces a file in one step, and a symbolic link itself", () =>
  inTemporaryFolder(async (folder) => {
    const [file, target, symbolic] = [join(folder, "file"), join(folder, "target"), join(folder, "symbolic")];
    await writeFile(file, "old");
    await writeFile(target, "precious");
    await symlink("target", symbolic);
    const part = await begin(file, { overwrite: true });
    assert.is(await text(file), "old");
    assert.is(await finish(part, "new"), file);
    await finish(await begin(symbolic, { overwrite: true }), "mine");
    assert.equal([await text(file), await text(target), await text(symbolic)], ["new", "precious", "mine"]);
    assert.not((await lstat(symbolic)).isSymbolicLink());
    assert.is(await finish(await begin(join(folder, "fresh"), { overwrite: true }), "f"), join(folder, "fresh"));
  }));

test("PartFile.commit() with overwrite: replaces neither folders nor devices", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out");
    const part = await begin(path, { overwrite: true });
    await mkdir(path);
    await rejection(() => finish(part, "x"), "file-error");
    assert.equal([await readdir(folder), await readdir(path)], [["out"], []]);
    if (process.platform === "win32") return;
    await rejection(() => begin("/dev/null", { overwrite: true }), "file-error");
    assert.ok((await lstat("/dev/null")).isCharacterDevice());
  }));

test("createPartFile: never uses nor follows a part file prepared by others", () =>
  inTemporaryFolder(async (folder) => {
    const victim = join(folder, "victim");
    await writeFile(victim, "precious");
    await symlink("victim", join(folder, "out.guessed.part"));
    const names = ["guessed", "guessed", "free"];
    const part = await begin(join(folder, "out"), { random: () => names.shift() ?? "" });
    assert.is(part.ref.path, join(folder, "out.free.part"));
    await finish(part, "ours");
    assert.equal([await text(victim), await readlink(join(folder, "out.guessed.part"))], ["precious", "victim"]);
    const error = await rejection(
      () =>
        begin(join(folder, "out2"), { random: () => "same" }).then(() => begin(join(folder, "out2"), { random: () => "same" })),
      "file-error",
    );
    assert.is(causeCode(error), "EEXIST");
  }));

test("PartFile.commit(): a replaced part file is not committed, and the replacement stays", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out");
    for (
      const replace of [
        (part: string) => writeFile(part, "evil"),
        (part: string) => symlink("/etc/passwd", part),
        (part: string) => mkdir(part),
      ]
    ) {
      const part = await begin(path);
      await rename(part.ref.path, join(folder, "moved"));
      await replace(part.ref.path);
      await rejection(() => part.commit(4), "file-error");
      assert.equal((await readdir(folder)).length, 2, "the moved part and what replaced it");
      await rm(part.ref.path, { recursive: true });
      await unlink(join(folder, "moved"));
    }
    assert.equal(await readdir(folder), []);
  }));

test("PartFile.commit(): a part file of another size is not committed", () =>
  inTemporaryFolder(async (folder) => {
    for (const bytes of [4, 6]) {
      const part = await begin(join(folder, "out"));
      await writeFile(part.ref.path, "12345", { flag: "r+" });
      await rejection(() => part.commit(bytes), "file-error");
    }
    assert.equal(await readdir(folder), []);
  }));

test("PartFile.commit(): a wrong size is an invalid argument, and the part file stays usable", () =>
  inTemporaryFolder(async (folder) => {
    const part = await begin(join(folder, "out"));
    for (const bytes of [-1, 1.5, NaN, "3" as unknown as number]) await rejection(() => part.commit(bytes), "invalid-argument");
    assert.is(await finish(part, "abc"), join(folder, "out"));
  }));

test("PartFile.discard(): may be called at any time, any number of times", () =>
  inTemporaryFolder(async (folder) => {
    const gone = await begin(join(folder, "gone"));
    await unlink(gone.ref.path);
    await gone.discard();
    const twice = await begin(join(folder, "twice"));
    await Promise.all([twice.discard(), twice.discard()]);
    await twice.discard();
    await rejection(() => twice.commit(0), "closed");
    const done = await begin(join(folder, "done"));
    const committing = finish(done, "x");
    await committing;
    await done.discard();
    await rejection(() => done.commit(1), "closed");
    const raced = await begin(join(folder, "raced"));
    await Promise.all([rejection(() => raced.commit(0), "closed"), raced.discard()]);
    assert.equal(await readdir(folder), ["done"]);
  }));

test("PartFile.commit(): a vanished folder is a file-error, and the part file is discarded", () =>
  inTemporaryFolder(async (folder) => {
    const sub = join(folder, "sub");
    const part = await begin(sub + sep);
    await rm(sub, { recursive: true });
    const error = await rejection(() => part.commit(0), "file-error");
    assert.is(causeCode(error), "ENOENT");
    await part.discard();
  }));

test("createPartFile: makes a folder again that another part file discarded in the meantime", () =>
  inTemporaryFolder(async (folder) => {
    const sub = join(folder, "sub");
    let first = true;
    const files: FileSystem = {
      ...nodeFileSystem,
      create: async (path) => {
        if (first) await rmdir(sub);
        first = false;
        return nodeFileSystem.create(path);
      },
    };
    assert.is(await finish(await begin(sub + sep, { files }), "x"), join(sub, "report.pdf"));
  }));

test("createPartFile: impossible places are file-errors with their cause", () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "file");
    await writeFile(file, "x");
    await symlink("nowhere", join(folder, "dangling"));
    const cases: [string, string][] = [
      [join(folder, "no", "such", "out"), "ENOENT"],
      [join(file, "out"), "ENOTDIR"],
      [file + sep, "ENOTDIR"],
      [join(file, "sub") + sep, "ENOTDIR"],
      [join(folder, "x".repeat(300)), "ENAMETOOLONG"],
    ];
    for (const [target, code] of cases) {
      const error = await rejection(() => begin(target, { overwrite: true }), "file-error");
      assert.is(causeCode(error), code, target);
    }
    await rejection(() => begin(join(folder, "dangling") + sep), "file-error");
    assert.equal((await readdir(folder)).sort(), ["dangling", "file"]);
  }));

test("createPartFile: a value that is no path is an invalid argument", async () => {
  for (const target of ["", "a\0b", new URL("http://localhost/x"), undefined, 5] as string[]) {
    await rejection(() => begin(target), "invalid-argument");
  }
});

test("PartFile.discard(): can be repeated after a failure", () =>
  inTemporaryFolder(async (folder) => {
    let busy = true;
    const files: FileSystem = { ...nodeFileSystem, unlink: (path) => busy ? failing("EBUSY")() : nodeFileSystem.unlink(path) };
    const part = await begin(join(folder, "out"), { files });
    await rejection(() => part.discard(), "file-error");
    await rejection(() => part.commit(0), "closed");
    busy = false;
    await part.discard();
    assert.equal(await readdir(folder), []);
  }));

test.run();
