// A page's own measures: holds of its thread, memory, and a bystander's view.
import { Processes } from "../livekit/processes.ts";
import type { PageKind, Pair } from "../livekit/processes.ts";
import { ratios } from "../livekit/results.ts";
import { wait } from "../probe.ts";
import { clock } from "../support/clock.ts";
import { startServer } from "../support/server.ts";
import type { Stage } from "./stage.ts";

const TOPIC = "read";
const MEGABYTE = 1_000_000;

/** Time for which a page is watched after a send has begun, in ms: the SDK's hold comes at its beginning. */
const WATCHED_MS = 5_000;

/** Time in which a whole transfer must end, in ms. */
const TRANSFER_MS = 600_000;
const LOOK_MS = 250;

/** Time for which a receiver that does not read is watched, in ms. */
const UNREAD_MS = 10_000;

/** Way in which a page may be held: a send of its own, or a stream that it receives. */
interface Case {
  readonly name: string;
  readonly how: "streamBytes" | "sendFile" | "received";
  readonly bytes: number;
}

const CASES: readonly Case[] = [
  { name: "one write of 128 MB", how: "streamBytes", bytes: 128 * MEGABYTE },
  { name: "a File of 128 MB", how: "sendFile", bytes: 128 * MEGABYTE },
  { name: "64 MB received", how: "received", bytes: 64 * MEGABYTE },
];

const KINDS: readonly PageKind[] = ["page", "livekit-client"];

/** Longest hold of the page, by Millrace and by livekit-client. */
export async function benchHolds({ rounds, divisor, results, tell }: Stage): Promise<void> {
  await using server = await startServer();
  await using processes = new Processes(server);
  for (const { name, how, bytes } of CASES) {
    const runs: Record<PageKind, number[]> = { page: [], "livekit-client": [] };
    for (let round = 0; round < rounds; round++) {
      for (const kind of KINDS) {
        const hold = await heldBy(processes, kind, how, bytes / divisor);
        runs[kind].push(hold);
        tell(`${name}, ${kind}: longest hold ${hold.toFixed(1)} ms`);
      }
    }
    for (const kind of KINDS) {
      results.row("longest hold of the page", `${kind === "page" ? "Millrace" : kind}: ${name}`, kind, "ms", runs[kind]);
    }
    const what = `longest hold of the page: ${name}`;
    results.figure({ id: `hold ${how}`, what, unit: "ms", reach: 50, better: "less", runs: runs.page, note: "" });
    const shares = ratios(runs.page, runs["livekit-client"]);
    results.figure({
      id: `hold share ${how}`,
      what,
      unit: "×",
      reach: 0.06,
      better: "less",
      runs: shares,
      note: "of livekit-client's",
    });
  }
}

/** Longest task of a page that receives, by wall time and by CPU time: what is beyond that is a wait for a core. */
export async function benchTasks({ rounds, divisor, results, tell }: Stage): Promise<void> {
  const bytes = 64 * MEGABYTE / divisor;
  const [cpu, wall]: [number[], number[]] = [[], []];
  await using server = await startServer();
  await using processes = new Processes(server);
  for (let round = 0; round < rounds; round++) {
    const pair = await processes.pair("millrace", "page");
    try {
      await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "read" });
      await pair.receiver.ask("watchTasks", {});
      await sendThrough(pair, bytes);
      const longest = await pair.receiver.ask("tasks", {});
      cpu.push(longest.cpu);
      wall.push(longest.wall);
      tell(`64 MB received: longest task ${longest.wall.toFixed(1)} ms, most CPU time of one ${longest.cpu.toFixed(1)} ms`);
    } finally {
      await processes.kill(pair);
    }
  }
  results.row("longest task of a page that receives 64 MB", "wall time", "page", "ms", wall);
  results.row("longest task of a page that receives 64 MB", "CPU time", "page", "ms", cpu);
}

async function heldBy(processes: Processes, kind: PageKind, how: Case["how"], bytes: number): Promise<number> {
  const node = kind === "page" ? "millrace" : "rtc-node";
  const pair = how === "received" ? await processes.pair(node, kind) : await processes.pair(kind, node);
  try {
    await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "read" });
    if (how === "received") {
      await pair.receiver.ask("watchHolds", {});
      await sendThrough(pair, bytes);
      return (await pair.receiver.ask("holds", {}))?.longest ?? NaN;
    }
    await pair.sender.ask("begin", { how, topic: TOPIC, to: [pair.receiver.identity], bytes });
    await wait(WATCHED_MS);
    return (await pair.sender.ask("holds", {}))?.longest ?? NaN;
  } finally {
    await processes.kill(pair);
  }
}

/** Growth of a page that does not read, and whether its sender waits. */
export async function benchUnread({ rounds, divisor, results, tell }: Stage): Promise<void> {
  const bytes = 64 * MEGABYTE / divisor;
  const runs: number[] = [];
  let offered = 0;
  await using server = await startServer();
  await using processes = new Processes(server);
  for (let round = 0; round < rounds; round++) {
    const pair = await processes.pair("millrace", "page");
    try {
      await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "hold" });
      await pair.receiver.ask("watchMemory", {});
      void pair.sender.ask("offer", { topic: TOPIC, to: [pair.receiver.identity], bytes }).catch(() => {});
      await wait(UNREAD_MS);
      runs.push(await pair.receiver.ask("memory", {}) / MEGABYTE);
      offered = Math.max(offered, await pair.sender.ask("offered", {}));
      tell(`unread: growth ${runs.at(-1)?.toFixed(1)} MB, offered ${(offered / MEGABYTE).toFixed(0)} MB`);
    } finally {
      await processes.kill(pair);
    }
  }
  results.row("memory of a page that does not read, of 64 MB", "Millrace", "page", "MB", runs);
  results.figure({
    id: "unread",
    what: "growth of a page that does not read, of 64 MB",
    unit: "MB",
    reach: 16,
    better: "less",
    runs,
    note: `its sender had ${(offered / MEGABYTE).toFixed(0)} MB taken, and waited`,
    holds: offered < bytes,
  });
}

/** A large File from one page into the origin's own folder of another: growth of either page. */
export async function benchFiles({ divisor, results, tell }: Stage): Promise<void> {
  const bytes = 256 * MEGABYTE / divisor;
  await using server = await startServer();
  await using processes = new Processes(server);
  const pair = await processes.pair("page", "page");
  try {
    await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "save" });
    const command = { how: "sendFile", topic: TOPIC, to: [pair.receiver.identity], bytes, path: "opfs" } as const;
    await pair.sender.ask("prepare", command);
    for (const participant of [pair.sender, pair.receiver]) await participant.ask("watchMemory", {});
    const began = clock();
    await pair.sender.ask("begin", command);
    await allTaken(pair, bytes);
    const seconds = (clock() - began) / 1000;
    const growth = [await pair.sender.ask("memory", {}) / MEGABYTE, await pair.receiver.ask("memory", {}) / MEGABYTE];
    tell(
      `file of ${bytes / MEGABYTE} MB: ${(bytes / MEGABYTE / seconds).toFixed(2)} MB/s, growth ${
        growth.map((each) => each.toFixed(0)).join(" and ")
      } MB`,
    );
    results.row(
      `growth of pages, a File of ${bytes / MEGABYTE} MB from page to page`,
      "sender",
      "page",
      "MB",
      growth.slice(0, 1),
    );
    results.row(`growth of pages, a File of ${bytes / MEGABYTE} MB from page to page`, "receiver", "page", "MB", growth.slice(1));
    results.figure({
      id: "file growth",
      what: `a File of ${bytes / MEGABYTE} MB into the folder of another page: growth of either`,
      unit: "MB",
      reach: 64,
      better: "less",
      runs: [Math.max(...growth)],
      note: "",
    });
  } finally {
    await processes.kill(pair);
  }
}

/** Chunks of targeted streams that a bystander's page gets. */
export async function benchBystander({ divisor, results, tell }: Stage): Promise<void> {
  const bytes = 2 * MEGABYTE / divisor;
  await using server = await startServer();
  await using processes = new Processes(server);
  const pair = await processes.pair("page", "millrace");
  try {
    const bystander = await processes.bystander("livekit-client");
    await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "read" });
    const command = { how: "sendBytes", topic: TOPIC, to: [pair.receiver.identity], bytes } as const;
    await pair.sender.ask("send", command);
    const before = await bystander.ask("chunks", {});
    await pair.sender.ask("send", command);
    await wait(LOOK_MS);
    const chunks = await bystander.ask("chunks", {}) - before;
    tell(`bystander: ${chunks} chunks`);
    results.figure({
      id: "bystander",
      what: "chunks of a targeted stream of 2 MB that a bystander's page gets",
      unit: "chunks",
      reach: 0,
      better: "less",
      runs: [chunks],
      note: "none is wanted",
    });
    await bystander.kill();
  } finally {
    await processes.kill(pair);
  }
}

/** Sends bytes in writes of 15 kB. Resolves when the receiver has taken them. */
async function sendThrough(pair: Pair, bytes: number): Promise<void> {
  const command = { how: "streamBytes", topic: TOPIC, to: [pair.receiver.identity], bytes, write: 15_000 } as const;
  void pair.sender.ask("send", command).catch(() => {});
  await allTaken(pair, bytes);
}

async function allTaken({ receiver }: Pair, bytes: number): Promise<void> {
  const limit = clock() + TRANSFER_MS;
  while (await receiver.ask("taken", {}) < bytes) {
    if (clock() > limit) throw new Error(`Cannot measure as a transfer took longer than ${TRANSFER_MS / 1000} s`);
    await wait(LOOK_MS);
  }
}
