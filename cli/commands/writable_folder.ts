import { randomUUID } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Failure } from "../failure.ts";

/**
 * Writes a small file into the folder and removes it: a disk that is full or a folder of somebody else is told before anybody sends.
 * A folder that does not exist yet is made with its first file; then the nearest one above it is tried. Rejects with a Failure "file-error".
 */
export async function assertWritable(folder: string): Promise<void> {
  const existing = await nearestExisting(resolve(folder), folder);
  const probe = join(existing, `.millrace-${randomUUID()}`);
  try {
    await writeFile(probe, "?", { flag: "wx" });
  } catch (cause) {
    throw refusal(`nothing can be written there: ${(cause as Error).message}`, folder, cause);
  } finally {
    await rm(probe, { force: true }).catch(() => {}); // told by the write, if it matters
  }
}

async function nearestExisting(path: string, asked: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) return path;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" && dirname(path) !== path) return await nearestExisting(dirname(path), asked);
    if (code !== "ENOTDIR") throw refusal(message, asked, cause);
  }
  throw refusal("a file has its path", asked);
}

function refusal(why: string, folder: string, cause?: unknown): Failure {
  return new Failure("file-error", `Cannot receive into the folder as ${why}: path is "${folder}"`, { cause });
}
