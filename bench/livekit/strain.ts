// What large data does to a process: how long one write of it holds the event loop, and how a reader that does not read grows. Each run has
// participants of its own, as what ran before would show, and they are killed in the midst of it, as the rest of the transfer says nothing.
import { median, wait } from "../probe.ts";
import type { Pair } from "./cast.ts";
import type { Stage } from "./goodput.ts";
import { span } from "./results.ts";

const MB = 1e6;
const WRITE_BYTES = 128 * MB;
const WARM_BYTES = 4 * MB;
const OFFERED_BYTES = 64 * MB;
const TOPIC = "read";
const UNREAD_TOPIC = "unread";

/** Milliseconds of a write that are looked at. */
const HOLD_MS = 4_000;
/** Milliseconds without a step after which a writer is taken to wait. */
const STILL_MS = 2_000;

const KINDS = ["rtc-node", "millrace"] as const;

export async function benchHold({ cast, effort, results, tell }: Stage): Promise<void> {
  const longest = { "rtc-node": [] as number[], "millrace": [] as number[] };
  const own: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    for (const kind of KINDS) {
      const pair = await warmPair(cast, kind, effort.divisor);
      const { holds, idle: before, outcome } = await pair.sender.ask("hold", {
        topic: TOPIC,
        to: [pair.receiver.identity],
        bytes: WRITE_BYTES / effort.divisor,
        ms: HOLD_MS / effort.divisor,
      });
      await cast.kill(pair);
      longest[kind].push(holds.longest);
      if (kind === "millrace") {
        own.push(holds.own ?? holds.longest);
        idle.push(before.longest);
      }
      tell(`${kind}: longest hold ${holds.longest.toFixed(1)} ms (running ${holds.own?.toFixed(1)}), the write is ${outcome}`);
    }
  }
  for (const kind of KINDS) results.row("longest hold of one write of 128 MB", kind, kind, "ms", longest[kind]);
  results.figure({
    id: "hold",
    what: "longest hold of one write of 128 MB, its first seconds",
    unit: "ms",
    reach: 5,
    better: "less",
    runs: longest.millrace,
    note: `running ${median(own).toFixed(1)} ms, idle ${median(idle).toFixed(1)}; rtc-node ${
      median(longest["rtc-node"]).toFixed(0)
    } ms`,
  });
}

/** rtc-node has all of it sent, which takes long: once. */
export async function benchUnread({ cast, effort, results, tell }: Stage): Promise<void> {
  const growth = { "rtc-node": [] as number[], "millrace": [] as number[] };
  const bytes = OFFERED_BYTES / effort.divisor;
  let most = 0;
  for (let round = 0; round < effort.rounds; round++) {
    for (const kind of KINDS) {
      if (kind === "rtc-node" && round > 0) continue;
      const pair = await warmPair(cast, kind, effort.divisor);
      const { grown, written } = await offerUnread(pair, bytes);
      await cast.kill(pair);
      growth[kind].push(grown / MB);
      if (kind === "millrace") most = Math.max(most, written);
      tell(
        `${kind}: the receiver grew by ${(grown / MB).toFixed(1)} MB, ${(written / MB).toFixed(1)} MB were taken of the writer`,
      );
    }
  }
  for (const kind of KINDS) results.row("growth of a receiver that does not read 64 MB", kind, kind, "MB", growth[kind]);
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
  const offering = sender.ask("offer", { topic: UNREAD_TOPIC, to: [receiver.identity], bytes, ms: 0 });
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

async function warmPair(cast: Stage["cast"], kind: (typeof KINDS)[number], divisor: number): Promise<Pair> {
  const pair = await cast.pair(kind, kind);
  const bytes = WARM_BYTES / divisor;
  await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "read" });
  const order = { how: "streamBytes", topic: TOPIC, to: [pair.receiver.identity], bytes, write: 240_000 } as const;
  await Promise.all([pair.sender.ask("send", order), pair.receiver.ended(bytes)]);
  return pair;
}
