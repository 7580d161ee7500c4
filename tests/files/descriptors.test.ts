// Open files: a bounded number, and none fails while others hold all descriptors for a moment.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { programCommand } from "../../bench/support/program_command.ts";
import { nodeFileSystem } from "../../files/file_system.ts";
import { openSource } from "../../files/source.ts";
import { retried, whileShort, withDescriptor } from "../../common/descriptors.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("file descriptors");

function shortage(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants`), { code });
}

test("withDescriptor: file work takes turns in order, and a failed turn passes to the next", async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  const works = Array.from({ length: 1_000 }, (_, i) =>
    withDescriptor(async () => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => void setImmediate(resolve));
      now--;
      done.push(i);
      if (i % 3 === 0) throw new Error("as the test wants");
    }));
  const ends = await Promise.allSettled(works);
  assert.is(ends.filter(({ status }) => status === "rejected").length, 334);
  assert.ok(most > 1 && most <= 64, `${most} at once`);
  assert.equal(done, Array.from({ length: 1_000 }, (_, i) => i));
});

for (const code of ["EMFILE", "ENFILE"]) {
  test(`withDescriptor: ${code} waits until other files are closed`, async () => {
    let attempts = 0;
    assert.is(await whileShort(() => ++attempts < 4 ? Promise.reject(shortage(code)) : Promise.resolve("open")), "open");
    assert.is(attempts, 4);
  });
}

test("withDescriptor: other failures are reported at once, and a shortage to whoever waits no longer", async () => {
  let attempts = 0;
  const error = shortage("EACCES");
  const told = await whileShort(() => (attempts++, Promise.reject(error))).catch((cause: unknown) => cause);
  assert.equal([told, attempts], [error, 1]);
  const controller = new AbortController();
  const waiting = retried(() => Promise.resolve("short"), () => "EMFILE", controller.signal);
  setImmediate(() => controller.abort());
  assert.is(await waiting, "short");
});

test("openSource: thousands of sources use few descriptors at once", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "data.bin");
    await writeFile(path, "data");
    const sources = await Promise.all(Array.from({ length: 5_000 }, () => openSource(path, nodeFileSystem)));
    assert.is(sources.length, 5_000);
  }));

for (const threads of ["workers", "inline"]) {
  test(
    `sendFile and saveTo by ${threads}: 600 files at once in a process limited to 150 descriptors`,
    () =>
      inTemporaryFolder(async (folder) => {
        if (process.platform === "win32") return assert.ok(true, "Windows has no such bound");
        await writeFile(join(folder, "data.bin"), pattern(100_000));
        const command = programCommand("tests/fixtures/many_files", folder, threads);
        const { stdout } = await promisify(execFile)("sh", ["-c", `ulimit -n 150; exec "$@"`, "sh", ...command], {
          timeout: 40_000,
        });
        assert.equal(JSON.parse(stdout), { failures: [], saved: 600 });
      }),
    { seconds: 45 },
  );
}

test.run();
