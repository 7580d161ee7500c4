// Owner of a part file: the name tells the process that made it, so that another process can see that it is dead.
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { mayRead } from "../platform.ts";

/** A process, and the machine (or container) whose process ids it counts in. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When it started, in clock ticks since the machine did; a process id is given again. */
  readonly start: string;
}

const NAME = /\.([0-9a-f]{12})-(\d{1,10})-(\d{1,20})\.[0-9a-f-]{36}\.part$/;

/** The part of a name that tells its owner. Undefined where that cannot be told: not on Linux, or not permitted. */
export function ownerTag(): string | undefined {
  const { host, pid, start } = self() ?? {};
  return host === undefined ? undefined : `${host}-${pid}-${start}`;
}

/** Whether a name is that of a part file of a process of this machine that runs no more. In doubt it is not. */
export function isAbandoned(name: string): boolean {
  const own = self();
  const found = NAME.exec(name);
  if (own === undefined || found === null) return false;
  const [, host, pid, start] = found;
  return host === own.host && startOf(Number(pid)) !== start;
}

let known: { owner: Owner | undefined } | undefined;

function self(): Owner | undefined {
  known ??= { owner: find() };
  return known.owner;
}

function find(): Owner | undefined {
  if (process.platform !== "linux" || !mayRead()) return undefined;
  try {
    const start = startOf(process.pid);
    if (start === undefined) return undefined;
    // Containers of one machine may share a folder and have the same process ids.
    const where = [hostname(), machineId(), readlinkSync("/proc/self/ns/pid")].join("\n");
    return { host: createHash("sha256").update(where).digest("hex").slice(0, 12), pid: process.pid, start };
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

/** When a process started; undefined if there is none. Throws where that cannot be seen. */
function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    throw error;
  }
  // The second field is the program's name in brackets, and may hold anything.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
