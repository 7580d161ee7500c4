// Folders that millrace send packs and millrace receive unpacks.
import { chmod, lstat, mkdir, open, readdir, readFile, readlink, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packTar, type TarEntry } from "modern-tar";
import * as assert from "uvu/assert";
import { createHub, createRuntime } from "../../mod.ts";
import { packFolder } from "../../cli/commands/folders.ts";
import { start } from "../support/cli/cli_runs.ts";
import { pattern, same } from "../support/bytes.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("millrace send: folders");

/** Attribute that marks a stream as a folder. */
const FOLDER = { "millrace.folder": "1" };

test("millrace send: a folder arrives unchanged, beside existing files", () =>
  inTemporaryFolder(async (folder) => {
    const photos = join(folder, "photos");
    await mkdir(join(photos, "empty"), { recursive: true });
    await mkdir(join(photos, "a", "b"), { recursive: true });
    await writeFile(join(photos, "large.bin"), pattern(700_000));
    await writeFile(join(photos, "nothing"), "");
    await writeFile(join(photos, ".hidden"), "h");
    await writeFile(join(photos, "a", `${"long name ".repeat(20)}ü.txt`), "long");
    await writeFile(join(photos, "a", "b", "run.sh"), "#!/bin/sh\n");
    await chmod(join(photos, "a", "b", "run.sh"), 0o755);
    await symlink("../large.bin", join(photos, "a", "link"));
    const inbox = join(folder, "in");
    await mkdir(join(inbox, "photos"), { recursive: true });

    const hub = createHub();
    const bob = start(hub, "bob", ["receive", "--dir", inbox, "--once"]);
    const alice = start(hub, "alice", ["send", `${photos}/`, "--to", "bob"]);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    assert.match(alice.out, /^photos\.tar → bob: received [\d.]+ kB, checked\n$/);
    const received = join(inbox, "photos (2)");
    assert.is(bob.out, `${received}\n`);
    assert.equal((await readdir(inbox)).sort(), ["photos", "photos (2)"], "no tar, no half folder is left");
    assert.equal(await treeOf(received), await treeOf(photos));
    assert.is((await stat(join(received, "a", "b", "run.sh"))).mode & 0o777, 0o755);
  }));

test("millrace send: links that lead out of the folder are left out, with a notice", () =>
  inTemporaryFolder(async (folder) => {
    const photos = join(folder, "photos");
    await mkdir(photos);
    await writeFile(join(photos, "x"), "x");
    for (const [name, target] of [["absolute", "/etc/passwd"], ["up", "../secret"], ["sly", "x/../../secret"]] as const) {
      await symlink(target, join(photos, name));
    }
    const hub = createHub();
    const bob = start(hub, "bob", ["receive", "--dir", join(folder, "in"), "--once"]);
    const alice = start(hub, "alice", ["send", photos, "--to", "bob"]);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    for (const name of ["absolute", "up", "sly"]) {
      assert.ok(alice.err.includes(`Left out, as it is no file or leads out of the folder: "${join(photos, name)}"`), name);
    }
    assert.equal(await readdir(join(folder, "in", "photos")), ["x"]);
  }));

test("millrace send: a folder is a tar for stdout and for receivers that know no folders", () =>
  inTemporaryFolder(async (folder) => {
    const photos = join(folder, "photos");
    await mkdir(photos);
    await writeFile(join(photos, "x"), "content of x");
    const hub = createHub();
    const bob = start(hub, "bob", ["receive", "--stdout", "--once"]);
    const carol = await createRuntime({ transport: hub.join("carol") });
    const name = new Promise((resolve, reject) => {
      carol.registerByteStreamHandler("files", async (reader) => {
        await reader.readAll().then(() => resolve([reader.info.name, reader.info.mimeType]), reject);
      });
    });
    const alice = start(hub, "alice", ["send", photos, "--name", "album", "--to", "bob,carol"]);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    assert.equal(await name, ["album.tar", "application/x-tar"]);
    assert.ok(bob.out.includes("album/x") && bob.out.includes("content of x"));
    await carol.close();
  }));

test("millrace send: a folder's file that changes during the transfer fails the stream at its end", () =>
  inTemporaryFolder(async (folder) => {
    for (const name of ["a", "b"]) await writeFile(join(folder, name), pattern(10_000_000));
    const chunks = packFolder(folder, "photos");
    await chunks.next();
    const file = await open(join(folder, "a"), "r+"); // it keeps its size
    await file.write("changed");
    await file.close();
    assert.match(await lastError(chunks), /^a file changed while it was sent: path is ".*a"$/);

    await writeFile(join(folder, "b"), "shorter");
    const again = packFolder(folder, "photos");
    await again.next();
    await truncate(join(folder, "a"), 5_000_000);
    assert.ok((await lastError(again)).length > 0);

    const left = packFolder(folder, "photos");
    await left.next();
    await left.return(undefined); // as a send does that is aborted
  }));

test("millrace receive: a tar cannot write outside its folder; a tar that cannot be unpacked is kept", () =>
  inTemporaryFolder(async (folder) => {
    const good = entry("top/good");
    const cases: [string, Uint8Array][] = [
      ["up", await packTar([good, entry("top/../../../escaped")])],
      ["absolute", await packTar([good, entry(`${folder}/escaped`)])],
      ["noise", pattern(5_000)],
      ["cut", (await packTar([entry("top/x", pattern(3_000))])).subarray(0, 2_000)],
      ["linked", await packTar([link("top/link", folder), entry("top/link/escaped")])],
      ["relinked", await packTar([link("top/link", "."), link("top/link/up", ".."), entry("top/up/../escaped")])],
      ["device", await packTar([good, { header: { name: "top/null", type: "character-device", size: 0 } }])],
    ];
    for (const [name, bytes] of cases) {
      const inbox = join(folder, "in", name);
      const hub = createHub();
      const bob = start(hub, "bob", ["receive", "--dir", inbox, "--once"]);
      await bob.printed("err", "Waiting");
      const mallory = await createRuntime({ transport: hub.join("mallory") });
      await mallory.sendBytes(bytes, { topic: "files", name: `${name}.tar`, attributes: FOLDER, destinationIdentities: ["bob"] });
      const code = await bob.ended;
      await mallory.close();
      assert.equal((await readdir(folder)).sort(), ["in"], name);
      const there = await readdir(inbox);
      if (code === 0) assert.equal(there, [name], name); // harmless entries may be taken
      else {
        assert.equal(there, [`${name}.tar`], name);
        assert.match(bob.err, /^Cannot unpack the folder as .*: it stays a tar: path is ".*"$/m, name);
        assert.ok(same(bytes, await readFile(join(inbox, `${name}.tar`))), name);
      }
      for (const path of await pathsOf(inbox)) assert.ok((await lstat(path)).isSymbolicLink() === false, path);
    }
  }));

test.run();

/** Paths, contents and targets of links. */
async function treeOf(folder: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const path of await pathsOf(folder)) {
    const found = await lstat(path);
    const name = path.slice(folder.length);
    if (found.isSymbolicLink()) tree[name] = `-> ${await readlink(path)}`;
    else tree[name] = found.isDirectory() ? "folder" : (await readFile(path)).toString("latin1");
  }
  return tree;
}

async function pathsOf(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    paths.push(path);
    if ((await lstat(path)).isDirectory()) paths.push(...await pathsOf(path));
  }
  return paths;
}

function entry(name: string, body: Uint8Array | string = "content"): TarEntry {
  return { header: { name, size: body.length, type: "file" }, body };
}

function link(name: string, linkname: string): TarEntry {
  return { header: { name, size: 0, type: "symlink", linkname } };
}

/** Message of the error that the iteration ends with; "" if it ends well. */
async function lastError(chunks: AsyncIterable<unknown>): Promise<string> {
  try {
    for await (const chunk of chunks) assert.ok(chunk);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
