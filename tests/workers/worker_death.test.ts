// Workers that die in the middle of a transfer: nothing is lost, on any runtime.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Progress } from "../../mod.ts";
import { NodePool } from "../../workers/pool/node_pool.ts";
import { sha256 } from "../support/bytes.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("killed workers");

/** Bytes without repeated runs. */
function uneven(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2_654_435_761) ^ (i >>> 7);
  return bytes;
}

test("NodePool: each worker is killed twice while bytes are sent and read: they arrive as sent", async () => {
  const pool = new NodePool({ size: 2 });
  await inPair(async (alice, bob) => {
    const sent = uneven(24_000_000);
    const killedAt = [2_000_000, 6_000_000, 10_000_000, 14_000_000];
    let kills = 0;
    const arrived = new Promise<string>((resolve, reject) => {
      bob.registerByteStreamHandler("bulk", async (reader) => {
        const hash = createHash("sha256");
        try {
          for await (const part of reader) {
            hash.update(part);
            if (reader.progress.received < (killedAt[kills] ?? Infinity)) continue;
            if (pool.kill(kills % 2)) kills++;
          }
          resolve(hash.digest("hex"));
        } catch (error) {
          reject(error);
        }
      });
    });
    const info = await alice.sendBytes(sent, { topic: "bulk" });
    assert.is(await arrived, sha256(sent));
    assert.is(kills, 4);
    assert.equal(info.receipts, [{ identity: "bob", bytes: sent.length }]);
  }, { runtime: { pool } });
  await pool.close();
});

test("NodePool: workers are killed while files are read and written: the file is whole", () =>
  inTemporaryFolder(async (folder) => {
    const pool = new NodePool({ size: 2 });
    await inPair(async (alice, bob) => {
      const path = join(folder, "sent.bin");
      const bytes = uneven(32_000_000);
      await writeFile(path, bytes);
      // Further apart than all that is under way, 8 MiB of window and 4 MB of jobs: a job whose worker dies twice is lost.
      const killedAt = [0, 14_000_000, 28_000_000];
      let kills = 0;
      const saved = new Promise<string>((resolve, reject) => {
        bob.registerByteStreamHandler("files", async (reader) => {
          const onProgress = ({ bytes: written }: Progress): void => {
            if (written >= (killedAt[kills] ?? Infinity) && pool.kill(kills % 2)) kills++;
          };
          await reader.saveTo(join(folder, "in/"), { onProgress }).then(({ path: at }) => resolve(at), reject);
        });
      });
      await alice.sendFile(path, { topic: "files" });
      assert.is(sha256(await readFile(await saved)), sha256(bytes));
      assert.ok(kills > 0);
    }, { runtime: { pool } });
    await pool.close();
  }));

test.run();
