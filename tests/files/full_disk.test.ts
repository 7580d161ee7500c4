// A disk that fills up while a file is saved, through all layers.
import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { type CodecPool, StreamError } from "../../mod.ts";
import { NodePool } from "../../workers/pool/node_pool.ts";
import { nextBytes } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("full disk");
const run = promisify(execFile);

/** Sends a megabyte and saves it to a folder, which lacks the space. */
async function assertNoSpace(folder: string, pool: CodecPool): Promise<void> {
  try {
    await inPair(async (alice, bob) => {
      const saver = nextBytes(bob).then((reader) => rejection(() => reader.saveTo(folder), "file-error"));
      const sender = await rejection(() => alice.sendBytes(new Uint8Array(1_000_000), { name: "large.bin" }), "file-error");
      assert.is(((await saver).cause as { code?: string }).code, "ENOSPC");
      assert.is(sender.identity, "bob");
      assert.equal(await readdir(folder), []);
    }, { runtime: { pool } });
  } finally {
    await pool.close();
  }
}

test("saveTo: a write without space ends the stream at both ends and leaves no file", () =>
  inTemporaryFolder(async (folder) => {
    class FullPool extends NodePool {
      override writeFile(...args: Parameters<NodePool["writeFile"]>): Promise<void> {
        if (args[1] < 500_000) return super.writeFile(...args); // half of it fits
        const cause = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        return Promise.reject(new StreamError("file-error", "Cannot write to the file as no space is left", { cause }));
      }
    }
    await assertNoSpace(folder, new FullPool({ size: 1 }));
  }));

test("saveTo: a 256 kB tmpfs that fills midway, if mounting is permitted, gives a file-error", () =>
  inTemporaryFolder(async (folder) => {
    const small = join(folder, "small");
    await mkdir(small);
    const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small]).then(() => true, () => false);
    if (!mounted) return assert.equal(await readdir(small), []);
    try {
      await assertNoSpace(small, new NodePool({ size: 2 }));
    } finally {
      await run("umount", [small]);
    }
  }));

test.run();
