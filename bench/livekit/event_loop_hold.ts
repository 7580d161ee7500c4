// Effect of large data on a process: how long one write holds the event loop, and how a reader that does not read grows.
// Each run has participants of its own, which no earlier run has changed. They are killed midway: the rest of the transfer adds nothing.
import { type Holds, median, wait } from "../probe.ts";
import type { Pair } from "./processes.ts";
import type { Stage } from "./goodput.ts";
import { span, TITLES } from "./results.ts";

const MB = 1e6;
const WRITE_BYTES = 128 * MB;
const WARM_BYTES = 4 * MB;
const OFFERED_BYTES = 64 * MB;
const TOPIC = "read";
const UNREAD_TOPIC = "unread";

/** Measured part of a write, in ms. */
const HOLD_MS = 4_000;
/** A writer without progress for this long counts as waiting, in ms. */
const STILL_MS = 2_000;

const KINDS = ["rtc-node", "millrace"] as const;

/**
 * Bytes of the writes to compare with. They keep the same threads of the SDK busy, while the event loop does little: its delay is the
 * machine's alone.
 */
const CALM_BYTES = 15_000;

export async function benchHold({ processes, effort, results, tell }: Stage): Promise<void> {
  const bytes = WRITE_BYTES / effort.divisor;
  const contenders = [
    { name: "rtc-node", kind: "rtc-node", write: bytes, holds: [] as Holds[] },
    { name: "rtc-node, by writes of 15 kB", kind: "rtc-node", write: CALM_BYTES, holds: [] as Holds[] },
    { name: "Millrace", kind: "millrace", write: bytes, holds: [] as Holds[] },
  ] as const;
  for (let round = 0; round < effort.rounds; round++) {
    for (const { name, kind, write, holds } of contenders) {
      const pair = await warmPair(processes, kind, effort.divisor);
      const ms = HOLD_MS / effort.divisor;
      const found = await pair.sender.ask("hold", { topic: TOPIC, to: [pair.receiver.identity], bytes, write, ms });
      await processes.kill(pair);
      holds.push(found);
      tell(`${name}: longest hold ${found.longest.toFixed(1)} ms, less the collector ${ownOf(found).toFixed(1)}`);
    }
  }
  for (const { name, kind, holds } of contenders) {
    results.row("longest hold of one write of 128 MB", name, kind, "ms", holds.map(({ longest }) => longest));
    results.row("the same, less the pauses of the collector", name, kind, "ms", holds.map(ownOf));
  }
  const [whole, calm, own] = contenders.map(({ holds }) => median(holds.map(({ longest }) => longest)));
  const millrace = contenders[2].holds;
  results.figure({
    id: "hold",
    what: "longest hold of one write of 128 MB, its first seconds",
    unit: "ms",
    reach: 5,
    better: "less",
    runs: millrace.map(({ longest }) => longest),
    note: `${own?.toFixed(1)}, less the collector ${median(millrace.map(ownOf)).toFixed(1)}; rtc-node ${
      whole?.toFixed(0)
    }, by writes of 15 kB ${calm?.toFixed(1)}`,
  });
}

function ownOf({ own, longest }: Holds): number {
  return own ?? longest;
}

/** rtc-node sends everything, which takes long: one run. */
export async function benchUnread({ processes, effort, results, tell }: Stage): Promise<void> {
  const growth = { "rtc-node": [] as number[], "millrace": [] as number[] };
  const bytes = OFFERED_BYTES / effort.divisor;
  let most = 0;
  for (let round = 0; round < effort.rounds; round++) {
    for (const kind of KINDS) {
      if (kind === "rtc-node" && round > 0) continue;
      const pair = await warmPair(processes, kind, effort.divisor);
      const { grown, written } = await offerUnread(pair, bytes);
      await processes.kill(pair);
      growth[kind].push(grown / MB);
      if (kind === "millrace") most = Math.max(most, written);
      tell(
        `${kind}: the receiver grew by ${(grown / MB).toFixed(1)} MB, ${(written / MB).toFixed(1)} MB were taken of the writer`,
      );
    }
  }
  for (const kind of KINDS) results.row("growth of a receiver that does not read 64 MB", TITLES[kind], kind, "MB", growth[kind]);
  results.figure({
    id: "unread",
    what: "receiver that does not read 64 MB: growth of its RSS",
    unit: "MB",
    reach: 16,
    better: "less",
    runs: growth.millrace,
    note: `the writer waits after ${(most / MB).toFixed(1)} MB, ${span(growth.millrace, " MB")}; rtc-node ${
      median(growth["rtc-node"]).toFixed(0)
    } MB`,
    holds: effort.divisor > 1 || most < bytes,
  });
}

async function offerUnread({ sender, receiver }: Pair, bytes: number): Promise<{ grown: number; written: number }> {
  await receiver.ask("listen", { kind: "bytes", topic: UNREAD_TOPIC, how: "hold" });
  await receiver.ask("watchMemory", {});
  let gone = false;
  const offering = sender.ask("offer", { topic: UNREAD_TOPIC, to: [receiver.identity], bytes });
  const done = offering.then(() => gone = true, () => gone = true); // a writer that waits is killed with its process
  let written = 0;
  for (let seen = -1; seen !== written && !gone;) {
    seen = written;
    await Promise.race([done, wait(STILL_MS)]);
    written = await sender.ask("offered", {});
  }
  await wait(STILL_MS / 4); // what is still on its way
  return { grown: await receiver.ask("memory", {}), written };
}

async function warmPair(processes: Stage["processes"], kind: (typeof KINDS)[number], divisor: number): Promise<Pair> {
  const pair = await processes.pair(kind, kind);
  const bytes = WARM_BYTES / divisor;
  await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "read" });
  const command = { how: "streamBytes", topic: TOPIC, to: [pair.receiver.identity], bytes, write: 240_000 } as const;
  await Promise.all([pair.sender.ask("send", command), pair.receiver.ended(bytes)]);
  return pair;
}
