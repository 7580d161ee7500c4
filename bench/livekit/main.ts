// Measures streams between two participants of a room, each a process of its own, on a LiveKit server of the benchmark's own,
//   by Millrace, by @livekit/rtc-node's own API and by LiveKit's SDK for Python.
//   Values: goodput and CPU time, latency of short texts,
//   the event loop's holds, many streams at once, memory of a receiver that does not read.
//   Contenders take turns in each round. Ratios are made round by round.
// Run: npm run bench:livekit | bun --bun run bench:livekit | deno task bench:livekit; arguments:
//   --quick: seconds instead of minutes; the numbers mean nothing. --rounds=N: default 5. --only=SECTION[,...]: of those below.
//   --out=FOLDER: default docs/bench, with --quick or --only none. Writes into <runtime>.json, and <runtime>-livekit.svg.
// Pitfalls: another load on the machine, as server and both ends share its cores. The printed load, idle drift and spread show that.
//   The hold of a write is measured in its first seconds only.
import { startServer } from "../support/server.ts";
import { benchHold, benchUnread } from "./event_loop_hold.ts";
import { benchGoodput, benchMany, type Stage } from "./goodput.ts";
import { benchLatency } from "./latency.ts";
import { Processes } from "./processes.ts";
import { runSections } from "./sections.ts";
import { hasPython } from "./surroundings.ts";

const SECTIONS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  goodput: benchGoodput,
  latency: benchLatency,
  hold: benchHold,
  many: benchMany,
  unread: benchUnread,
};

await runSections({
  name: "livekit",
  sections: Object.keys(SECTIONS),
  defaultRounds: 5,
  async run({ folder, rounds, brief, results, tell }, each) {
    await using server = await startServer();
    await using processes = new Processes(server);
    await each(async (section) => {
      await SECTIONS[section]?.({
        processes,
        folder,
        kinds: hasPython() ? ["rtc-node", "python", "millrace"] : ["rtc-node", "millrace"],
        serverPid: server.pid,
        effort: { rounds, divisor: brief ? 64 : 1 },
        results,
        tell,
      });
    });
  },
});
