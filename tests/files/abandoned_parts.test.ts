// Searches for part files of dead processes: a save must not take time in proportion to its folder.
import { join } from "node:path";
import * as assert from "uvu/assert";
import { removeAbandonedParts } from "../../files/abandoned_parts.ts";
import { type FileSystem, nodeFileSystem } from "../../files/file_system.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("abandoned part files");

/** Runs with a clock that only the test moves, and a file system that counts how often each folder was listed. */
async function counting(
  body: (
    stage: { sweep(folder: string): Promise<void>; listed(folder: string): number; pass(ms: number): void },
  ) => Promise<void>,
): Promise<void> {
  const counts = new Map<string, number>();
  const files: FileSystem = {
    ...nodeFileSystem,
    list: (path) => {
      counts.set(path, (counts.get(path) ?? 0) + 1);
      return Promise.resolve([]);
    },
  };
  const real = performance.now;
  let now = real.call(performance);
  performance.now = () => now;
  try {
    await body({
      sweep: (folder) => removeAbandonedParts(files, folder),
      listed: (folder) => counts.get(folder) ?? 0,
      pass: (ms) => void (now += ms),
    });
  } finally {
    performance.now = real;
  }
}

test("abandoned part files: a folder is searched at most once a minute", () =>
  inTemporaryFolder((folder) =>
    counting(async ({ sweep, listed, pass }) => {
      for (let save = 0; save < 100; save++) await sweep(folder);
      assert.is(listed(folder), 1);
      pass(59_000);
      await sweep(folder);
      assert.is(listed(folder), 1);
      pass(1_000);
      for (let save = 0; save < 100; save++) await sweep(folder);
      assert.is(listed(folder), 2);
    })
  ));

test("abandoned part files: at most 1,000 folders are remembered; older ones are searched again", () =>
  inTemporaryFolder((folder) =>
    counting(async ({ sweep, listed }) => {
      await sweep(folder);
      for (let other = 0; other < 1_000; other++) await sweep(join(folder, `${other}`));
      await sweep(folder);
      assert.is(listed(folder), 2);
    })
  ));

test.run();
