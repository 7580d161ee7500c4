// Measures streams between a page of headless Chromium and a Node process, in rooms of a LiveKit server of the benchmark's own,
//   by Millrace, and by livekit-client and @livekit/rtc-node used plainly. Contenders take turns in each round.
//   Ratios are made round by round, against the best of the plain calls in the same round.
//   In the background the sender sends the receiver a message of 50 bytes each 100 ms, one way.
// Run: npm run bench:browser; arguments:
//   --only=SECTION[,...]: goodput, line, holds, tasks, unread, files, bystander; default all.
//   --rounds=N: default 3. --quick: a minute; the numbers mean nothing.
//   --out=FOLDER: default docs/bench, with --quick or --only none. Writes into <runtime>.json, and <runtime>-browser.svg.
//   A system other than Linux may have to be told of 127.0.0.2 (macOS: ifconfig lo0 alias 127.0.0.2); memory is read on Linux only.
// Pitfalls: another load on the machine, as browser, server and relay share its cores. The printed load and spread show that.
import { runSections } from "../livekit/sections.ts";
import { benchBystander, benchFiles, benchHolds, benchTasks, benchUnread } from "./pages.ts";
import type { Stage } from "./stage.ts";
import { benchGoodput, benchLine } from "./transfers.ts";

const SECTIONS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  goodput: benchGoodput,
  line: benchLine,
  holds: benchHolds,
  tasks: benchTasks,
  unread: benchUnread,
  files: benchFiles,
  bystander: benchBystander,
};

await runSections({
  name: "browser",
  sections: Object.keys(SECTIONS),
  defaultRounds: 3,
  run: async ({ brief, ...context }, each) => {
    await each(async (section) => await SECTIONS[section]?.({ ...context, divisor: brief ? 16 : 1 }));
  },
});
