// Goodput of random bytes, from the call to the last byte read, and the CPU time of both ends and the server. The same for many streams at
// once against one.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../probe.ts";
import { randomFile } from "../samples.ts";
import type { Kind, Pair, Processes } from "./processes.ts";
import type { SendCommand } from "./commands.ts";
import { bestOf, type Effort, ratios, type Results, span, TITLES } from "./results.ts";

const BYTES = 32_000_000;
const MANY_BYTES = 16_000_000;
const MANY = 200;

/** A tick of the kernel, in ms. */
const TICK_MS = 10;

const READ = "read";
const SAVE = "save";

interface Contender {
  readonly name: string;
  readonly by: Kind;
  readonly command: Omit<SendCommand, "to" | "bytes">;
}

/** Result of one send. */
interface Sent {
  readonly rate: number;
  /** Milliseconds of CPU time for a MB. */
  readonly sender: number;
  readonly receiver: number;
  readonly server: number | undefined;
}

export interface Stage {
  readonly processes: Processes;
  readonly folder: string;
  readonly kinds: readonly Kind[];
  readonly serverPid: number;
  readonly effort: Effort;
  readonly results: Results;
  readonly tell: (line: string) => void;
}

export async function benchGoodput(stage: Stage): Promise<void> {
  const { processes, folder, kinds, effort, results, tell } = stage;
  const bytes = BYTES / effort.divisor;
  const path = join(folder, "sent");
  await randomFile(path, bytes);
  const contenders = allContenders(path).filter(({ by }) => kinds.includes(by));
  const pairs = new Map<Kind, Pair>();
  await Promise.all(kinds.map(async (kind) => void pairs.set(kind, await listeningPair(processes, kind, join(folder, "saved")))));
  const runs = new Map<Contender, Sent[]>(contenders.map((contender) => [contender, []]));
  for (const kind of kinds) await send(pairs.get(kind), plainCommand(kind), bytes / 10, stage.serverPid);
  for (let round = 0; round < effort.rounds; round++) {
    for (const contender of contenders) {
      const sent = await send(pairs.get(contender.by), contender.command, bytes, stage.serverPid);
      runs.get(contender)?.push(sent);
      tell(`${contender.name}: ${sent.rate.toFixed(2)} MB/s, CPU ms/MB ${cpuLabel(sent)}`);
    }
  }
  for (const pair of pairs.values()) await processes.kill(pair);
  const rates = (by: Kind): number[][] =>
    contenders.filter((contender) => contender.by === by).map((contender) => runs.get(contender)?.map(({ rate }) => rate) ?? []);
  for (const contender of contenders) {
    const sent = runs.get(contender) ?? [];
    const { name, by } = contender;
    results.row("goodput", name, by, "MB/s", sent.map(({ rate }) => rate));
    results.row("CPU time of the sender", name, by, "ms/MB", sent.map(({ sender }) => sender));
    results.row("CPU time of the receiver", name, by, "ms/MB", sent.map(({ receiver }) => receiver));
    if (sent.every(({ server }) => server !== undefined)) {
      results.row("CPU time of the server", name, by, "ms/MB", sent.map(({ server }) => server ?? 0));
    }
  }
  const own = bestOf(rates("millrace"));
  for (const [kind, what, reach] of [["rtc-node", "rtc-node", 1], ["python", "the Python SDK", 1.5]] as const) {
    if (!kinds.includes(kind)) continue;
    const theirs = bestOf(rates(kind));
    const against = ratios(own, theirs);
    results.figure({
      id: `goodput-${kind}`,
      what: `goodput of 32 MB against the best of ${what}`,
      unit: "×",
      reach,
      better: "more",
      runs: against,
      note: `${median(own).toFixed(2)} against ${median(theirs).toFixed(2)} MB/s, ${span(against, " ×")}`,
    });
  }
}

/** The same bytes by many streams and by one. */
export async function benchMany(stage: Stage): Promise<void> {
  const { processes, folder, kinds, effort, results, tell } = stage;
  const bytes = MANY_BYTES / effort.divisor;
  const some = kinds.filter((kind) => kind !== "python");
  const costs = new Map<Kind, { one: number[]; many: number[]; rates: number[] }>();
  const pairs = new Map<Kind, Pair>();
  for (const kind of some) {
    pairs.set(kind, await listeningPair(processes, kind, join(folder, "saved")));
    costs.set(kind, { one: [], many: [], rates: [] });
    await send(pairs.get(kind), { ...plainCommand(kind), streams: MANY }, bytes / 10, stage.serverPid);
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const kind of some) {
      const one = await send(pairs.get(kind), plainCommand(kind), bytes, stage.serverPid);
      const many = await send(pairs.get(kind), { ...plainCommand(kind), streams: MANY }, bytes, stage.serverPid);
      costs.get(kind)?.one.push(one.sender + one.receiver);
      costs.get(kind)?.many.push(many.sender + many.receiver);
      costs.get(kind)?.rates.push(many.rate);
      tell(`${kind}: 1 stream ${one.rate.toFixed(2)} MB/s, CPU ms/MB ${cpuLabel(one)}`);
      tell(`${kind}: ${MANY} streams ${many.rate.toFixed(2)} MB/s, CPU ms/MB ${cpuLabel(many)}`);
    }
  }
  for (const kind of some) {
    await processes.kill(pairs.get(kind) as Pair);
    const { one, many, rates } = costs.get(kind) ?? { one: [], many: [], rates: [] };
    results.row("CPU time of both ends, by streams at once", `${TITLES[kind]}, 1`, kind, "ms/MB", one);
    results.row("CPU time of both ends, by streams at once", `${TITLES[kind]}, ${MANY}`, kind, "ms/MB", many);
    if (kind !== "millrace") continue;
    const against = ratios(many, one);
    results.figure({
      id: "many",
      what: `${MANY} streams at once: CPU time for a byte against 1`,
      unit: "×",
      reach: 1.5,
      better: "less",
      runs: against,
      note: `at ${median(rates).toFixed(2)} MB/s, ${span(against, " ×")}`,
    });
  }
}

/** A pair whose receiver listens. `saved` is the path of the saved file. */
async function listeningPair(processes: Processes, kind: Kind, saved: string): Promise<Pair> {
  const pair = await processes.pair(kind, kind);
  await pair.receiver.ask("listen", { kind: "bytes", topic: READ, how: "read" });
  if (kind === "millrace") await pair.receiver.ask("listen", { kind: "bytes", topic: SAVE, how: "save", path: saved });
  return pair;
}

function allContenders(path: string): Contender[] {
  return [
    {
      name: "rtc-node streamBytes, writes of 15 kB",
      by: "rtc-node",
      command: { how: "streamBytes", topic: READ, write: 15_000 },
    },
    {
      name: "rtc-node streamBytes, writes of 240 kB",
      by: "rtc-node",
      command: { how: "streamBytes", topic: READ, write: 240_000 },
    },
    { name: "rtc-node sendFile", by: "rtc-node", command: { how: "sendFile", topic: READ, path } },
    { name: "Python stream_bytes", by: "python", command: { how: "streamBytes", topic: READ, write: 15_000 } },
    { name: "Python send_file", by: "python", command: { how: "sendFile", topic: READ, path } },
    { name: "Millrace sendBytes", by: "millrace", command: { how: "sendBytes", topic: READ } },
    { name: "Millrace sendFile", by: "millrace", command: { how: "sendFile", topic: READ, path } },
    { name: "Millrace sendFile to saveTo", by: "millrace", command: { how: "sendFile", topic: SAVE, path } },
  ];
}

/** Bytes in memory, by the call for them. */
function plainCommand(kind: Kind): Contender["command"] {
  return { how: kind === "millrace" ? "sendBytes" : "streamBytes", topic: READ, write: 15_000 };
}

async function send(pair: Pair | undefined, command: Contender["command"], bytes: number, serverPid: number): Promise<Sent> {
  if (pair === undefined) throw new Error("Cannot measure as there is no pair for it");
  const { sender, receiver } = pair;
  const streams = command.streams ?? 1;
  const before = [(await sender.ask("usage", {})).cpu, (await receiver.ask("usage", {})).cpu, await cpuOf(serverPid)] as const;
  const sending = sender.ask("send", { ...command, to: [receiver.identity], bytes });
  const [{ began }, at] = await Promise.all([sending, allEnded(pair, streams, bytes / streams)]);
  const after = [(await sender.ask("usage", {})).cpu, (await receiver.ask("usage", {})).cpu, await cpuOf(serverPid)] as const;
  const mb = bytes / 1e6;
  return {
    rate: bytes / 1000 / (at - began),
    sender: (after[0] - before[0]) / mb,
    receiver: (after[1] - before[1]) / mb,
    server: before[2] === undefined || after[2] === undefined ? undefined : (after[2] - before[2]) / mb,
  };
}

async function allEnded({ receiver }: Pair, streams: number, bytes: number): Promise<number> {
  let at = 0;
  for (let i = 0; i < streams; i++) at = Math.max(at, (await receiver.ended(bytes)).at);
  return at;
}

/** CPU time of a process, in ms; undefined where the system does not tell. */
async function cpuOf(pid: number): Promise<number | undefined> {
  try {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

function cpuLabel({ sender, receiver, server }: Sent): string {
  return `${sender.toFixed(0)} + ${receiver.toFixed(0)}${server === undefined ? "" : `, server ${server.toFixed(0)}`}`;
}
