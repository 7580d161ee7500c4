// A folder for one test, removed when it ends in any way.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a file "report.bin" of random bytes, which do not compress. Gives its path. */
export async function randomFile(folder: string, size: number): Promise<string> {
  const path = join(folder, "report.bin");
  await writeFile(path, randomBytes(size));
  return path;
}
