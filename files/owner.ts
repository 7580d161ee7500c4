// Owner of a part file. The file's name shows the process that made it, so that other processes can see whether that is alive.
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { mayRead } from "../common/platforms/node.ts";
import { codeOf } from "./paths.ts";

/** Process on one machine, or in one container. */
export interface Owner {
  /** Hash of the machine and its namespace of process ids. */
  readonly host: string;
  readonly pid: number;
  /** Start time of the process, in clock ticks since the machine's start, as process ids are used again. */
  readonly start: string;
}

const NAME = /\.([0-9a-f]{12})-(\d{1,10})-(\d{1,20})\.[0-9a-f-]{36}\.part$/;

/** Makes the part of a name that shows its owner. Undefined on other systems than Linux, and without permission. */
export function ownerTag(): string | undefined {
  const { host, pid, start } = currentOwner() ?? {};
  return host === undefined ? undefined : `${host}-${pid}-${start}`;
}

/** Whether a name is that of a part file whose process, on this machine, has ended; false in doubt. */
export function isAbandoned(name: string): boolean {
  const own = currentOwner();
  const found = NAME.exec(name);
  if (own === undefined || found === null) return false;
  const [, host, pid, start] = found;
  return host === own.host && startOf(Number(pid)) !== start;
}

let cached: { owner: Owner | undefined } | undefined;

function currentOwner(): Owner | undefined {
  cached ??= { owner: findOwner() };
  return cached.owner;
}

function findOwner(): Owner | undefined {
  if (process.platform !== "linux" || !mayRead()) return undefined;
  try {
    const start = startOf(process.pid);
    if (start === undefined) return undefined;
    // Containers on one machine may share a folder and have equal process ids.
    const namespace = [hostname(), machineId(), readlinkSync("/proc/self/ns/pid")].join("\n");
    return { host: createHash("sha256").update(namespace).digest("hex").slice(0, 12), pid: process.pid, start };
  } catch {
    return undefined;
  }
}

function machineId(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8");
  } catch {
    return "";
  }
}

/** Reads the start time of a process; undefined if there is none. Throws if it cannot be read. */
function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
  // The second field is the program's name in brackets, with any characters.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
