// Part files of tests.
import { readFile, writeFile } from "node:fs/promises";
import { createPartFile } from "../../files/create_part_file.ts";
import type { PartFile, PartFileOptions } from "../../files/create_part_file.ts";

export function begin(target: string | URL, options: Partial<PartFileOptions> = {}): Promise<PartFile> {
  return createPartFile(target, { name: "report.pdf", overwrite: false, nameBytes: 200, ...options });
}

/** Writes to the part as a worker does, by its path, and commits it. */
export async function finish(part: PartFile, content: string): Promise<string> {
  await writeFile(part.ref.path, content, { flag: "r+" });
  return part.commit(content.length);
}

/** An operation of the file system that fails. */
export function failing(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: as the test wants`), { code }));
}

/** Code of the file system's error that is a StreamError's cause. */
export function causeCode(error: Error): string | undefined {
  return (error.cause as { code?: string } | undefined)?.code;
}

export const text = (path: string): Promise<string> => readFile(path, "utf8");
