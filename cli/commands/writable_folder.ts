import { randomUUID } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { codeOf, Failure } from "../failure.ts";

/**
 * Checks that a folder is writable, by a small file, before anybody sends. A folder that does not exist is made with its first file, so its
 * nearest existing parent is checked. Rejects with Failure "file-error".
 */
export async function assertWritable(folder: string): Promise<void> {
  const existing = await nearestExisting(resolve(folder), folder);
  const probe = join(existing, `.millrace-${randomUUID()}`);
  try {
    await writeFile(probe, "?", { flag: "wx" });
  } catch (cause) {
    throw refusal(`it must be writable: ${(cause as Error).message}`, folder, cause);
  } finally {
    await rm(probe, { force: true }).catch(() => {}); // the write reports any problem
  }
}

async function nearestExisting(path: string, target: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) return path;
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT" && dirname(path) !== path) return await nearestExisting(dirname(path), target);
    if (code !== "ENOTDIR") throw refusal((cause as Error).message, target, cause);
  }
  throw refusal("its path must be a folder's", target);
}

function refusal(reason: string, folder: string, cause?: unknown): Failure {
  return new Failure("file-error", `Cannot receive into the folder as ${reason}: path is "${folder}"`, { cause });
}
