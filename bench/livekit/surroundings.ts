// Environment of a benchmark in rooms, and its working folder.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { needed, projectRoot } from "../support/programs.ts";

/** Whether LiveKit's SDK for Python is on this machine. Without it, its contenders are left out. */
export function hasPython(): boolean {
  try {
    return needed("python") !== "";
  } catch {
    return false;
  }
}

export async function versions(): Promise<Record<string, string>> {
  const path = join(projectRoot(), "node_modules", "@livekit", "rtc-node", "package.json");
  const sdk = JSON.parse(await readFile(path, "utf8")) as { version: string };
  const server = execFileSync(needed("livekit"), ["--version"], { encoding: "utf8" }).trim();
  const code = 'from importlib.metadata import version; print(version("livekit"))';
  const python = hasPython() ? { python: execFileSync(needed("python"), ["-c", code], { encoding: "utf8" }).trim() } : {};
  return { server, "@livekit/rtc-node": sdk.version, ...python };
}

/** Runs `work` with a folder and removes that afterwards, also when a signal ends the program. Servers and participants end by themselves. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  const end = (): void => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  try {
    await work(folder);
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, end);
    await rm(folder, { recursive: true, force: true });
  }
}
