import process from "node:process";

/** Bytes of the heap after a full collection; undefined on Deno, where a program cannot ask for one. */
export async function heapUsed(): Promise<number | undefined> {
  const bun = (globalThis as { Bun?: { gc(isSync: boolean): void } }).Bun;
  if (bun !== undefined) bun.gc(true);
  else if ("Deno" in globalThis) return undefined;
  else {
    const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import("node:v8"), import("node:vm")]);
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => void setTimeout(resolve, 10)); // what is weakly held goes between turns
      collect();
    }
  }
  return process.memoryUsage().heapUsed;
}
