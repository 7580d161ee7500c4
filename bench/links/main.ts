// Measures transfers between two participants over lines with delay, rate limit, queue and losses, by Millrace,
//   by @livekit/rtc-node's own API and by LiveKit's SDK for Python. Goodput counts from the call to the last byte read.
//   In the background the sender sends the receiver a message of 50 bytes each 100 ms, one way,
//   and makes a call (RPC) each 200 ms, there and back. The holds of both event loops are measured as well.
//   The lines are relays between the participants and a LiveKit server of the benchmark's own, all on this machine.
//   Each run has a room and participants of its own. Contenders take turns in each round.
//   Ratios are made round by round, against the best of rtc-node's.
// Run: npm run bench:links | bun --bun run bench:links | deno task bench:links; arguments:
//   --links=NAME[,...]: loopback, narrow, far, mobile, lossy; default all.
//   --link=DELAY,RATE,QUEUE,LOSS: ms one way, MB/s or 0, ms, a probability; repeatable; without --links, these only.
//   --contents=random,json,mixed: default random, on loopback all of them.
//   --rounds=N: default 3. --quick: half a minute; the numbers mean nothing.
//   --out=FOLDER: default docs/bench, with a choice or --quick none. Writes into <runtime>.json, and <runtime>-links.svg.
//   A system other than Linux may have to be told of 127.0.0.2 (macOS: ifconfig lo0 alias 127.0.0.2).
// Pitfalls: another load on the machine, as relay, server and both ends share its cores. The printed load and spread show that.
//   A transfer is ended after 90 s: its goodput counts the bytes that came, its messages are as late as at that moment.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { projectRoot, startRelay } from "../support/programs.ts";
import { startServer } from "../support/server.ts";
import { measureNoise, sha256Rate } from "../limits.ts";
import { Processes } from "../livekit/processes.ts";
import { hasPython, inFolder, versions } from "../livekit/surroundings.ts";
import { emptyReport, type Figure, figuresTable, noiseLines, writeReport } from "../report.ts";
import { CONTENTS, type Contents, type ContentsName, makeContents } from "./contents.ts";
import { type Link, LINKS, parseLink } from "./links.ts";
import { panels } from "./panels.ts";
import { figuresOf, type LinkRow, type LinksReport, rowsOf, rowsTable, runLabel } from "./results.ts";
import { type Bounds, type Contender, type Run, runOnce } from "./run.ts";

const BOUNDS: Bounds = { transferMs: 90_000, afterMs: 10_000 };

/** Number of attempts at a run: two processes may not meet, or an SDK may fail. */
const ATTEMPTS = 3;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    links: { type: "string" },
    link: { type: "string", multiple: true },
    contents: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean" },
    out: { type: "string" },
  },
});
const brief = values.quick === true;
const rounds = Number(values.rounds ?? (brief ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`Cannot measure so many rounds: rounds are "${values.rounds}"`);
const links = chosenLinks();
const chosen = chosenContents();
const some = brief || values.links !== undefined || values.link !== undefined || values.contents !== undefined;
const out = values.out ?? (some ? undefined : join(projectRoot(), "docs", "bench"));

const began = performance.now();
const loadBefore = loadavg()[0] ?? NaN;
await inFolder(async (folder) => {
  const rows: LinkRow[] = [];
  const figures: Figure[] = [];
  for (const link of links) {
    sha256Rate();
    await measure(link, folder, rows, figures);
  }
  const noise = await measureNoise(brief ? 20 : 500);
  for (const group of new Set(rows.map(headOf))) {
    console.log(`\n${group}\n${rowsTable(rows.filter((row) => headOf(row) === group))}`);
  }
  console.log(`\n${figuresTable(figures)}\n\nthe machine, load before ${loadBefore.toFixed(2)}\n${noiseLines(noise)}`);
  const report: LinksReport = { versions: await versions(), loadBefore, noise, rows, figures };
  if (out !== undefined) {
    const whole = await writeReport(out, { ...emptyReport(brief), links: report });
    await writeFile(join(out, `${whole.runtime}-links.svg`), panels(whole, rows));
  }
});
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s${out === undefined ? "" : `, written to ${out}`}`);

async function measure(link: Link, folder: string, rows: LinkRow[], figures: Figure[]): Promise<void> {
  const { line, title, name } = link;
  await using server = await startServer({ relayed: line !== undefined });
  const { udpPort } = server;
  const relay = line && await startRelay({ from: `127.0.0.2:${udpPort}`, to: `127.0.0.1:${udpPort}`, ...line });
  try {
    await using processes = new Processes(server);
    for (const each of chosen ?? ownContents(name)) {
      const contents = await makeContents(each, folder, brief ? 64 : 1);
      console.log(`${name}: ${title}; ${(contents.bytes / 1e6).toFixed(1)} MB, ${each}`);
      const found = rowsOf(link, contents, await takeTurns(processes, contents, rows.length > 0));
      rows.push(...found);
      figures.push(...figuresOf(link, found));
    }
  } finally {
    await relay?.close();
  }
}

/** A quick run has all contenders once, as a check, and then few. */
async function takeTurns(processes: Processes, contents: Contents, again: boolean): Promise<Map<Contender, Run[]>> {
  const contenders = contendersOf(contents.name).filter(({ by, how }) =>
    (by !== "python" || hasPython()) && (!brief || !again || by === "millrace" || (by === "rtc-node" && how === "sendFile"))
  );
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [contender, own] of runs) {
      const run = await measured(processes, contender, contents);
      own.push(run);
      console.log(`  ${contender.name}: ${runLabel(run)}`);
    }
  }
  return runs;
}

async function measured(processes: Processes, contender: Contender, contents: Contents): Promise<Run> {
  for (let attempt = 1;; attempt++) {
    try {
      return await runOnce(processes, contender, contents, BOUNDS);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      console.error(`  ${contender.name}, once more: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Contents in memory are sent by the calls for bytes, files by those for files. */
function contendersOf(name: ContentsName): Contender[] {
  const isFile = name !== "random";
  return [
    { name: "rtc-node streamBytes", by: "rtc-node", how: "streamBytes" },
    { name: "rtc-node sendFile", by: "rtc-node", how: "sendFile" },
    isFile
      ? { name: "Python send_file", by: "python", how: "sendFile" }
      : { name: "Python stream_bytes", by: "python", how: "streamBytes" },
    isFile
      ? { name: "Millrace sendFile", by: "millrace", how: "sendFile" }
      : { name: "Millrace sendBytes", by: "millrace", how: "sendBytes" },
  ];
}

/** Files over slow lines take long. */
function ownContents(link: string): readonly ContentsName[] {
  if (link !== "loopback") return ["random"];
  return brief ? ["random", "json"] : CONTENTS;
}

function headOf({ title, contents, bytes }: LinkRow): string {
  return `${title}; ${(bytes / 1e6).toFixed(1)} MB, ${contents}; times in ms`;
}

function chosenLinks(): readonly Link[] {
  const own = (values.link ?? []).map(parseLink);
  if (values.links === undefined) return own.length > 0 ? own : brief ? LINKS.slice(0, 2) : LINKS;
  const named = values.links.split(",").map((name) => {
    const link = LINKS.find((each) => each.name === name);
    if (link === undefined) throw new RangeError(`Cannot measure as there is no such link: name is "${name}"`);
    return link;
  });
  return [...named, ...own];
}

/** Undefined where the link decides. */
function chosenContents(): readonly ContentsName[] | undefined {
  return values.contents?.split(",").map((name) => {
    const known = CONTENTS.find((each) => each === name);
    if (known === undefined) throw new RangeError(`Cannot measure as there are no such contents: name is "${name}"`);
    return known;
  });
}
