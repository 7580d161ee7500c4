// A quick run of the benchmark in rooms leaves the expected files. Its numbers are not checked.
// needs: python
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { LivekitReport } from "../../../bench/livekit/results.ts";
import { runtimeName } from "../../../bench/report.ts";
import { suite } from "../../support/harness.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { runBench } from "../../support/livekit/run_bench.ts";

const FIGURES = [
  "goodput-rtc-node",
  "goodput-python",
  ...["", "plain-"].flatMap((to) => ["p50", "p95"].map((share) => `latency-${to}named-${share}`)),
  ...["", "plain-"].flatMap((to) => ["p50", "p95"].map((share) => `latency-${to}broadcast-${share}`)),
  "hold",
  "many",
  "unread",
];

/** Time limit, in seconds: a run takes about 25 s on an idle machine. */
const SECONDS = 90;

const test = suite("bench:livekit");

test("bench:livekit: measures each figure to reach, and draws the results", () =>
  inTemporaryFolder(async (folder) => {
    const output = await runBench("livekit", SECONDS, "--quick", `--out=${folder}`);
    const whole = JSON.parse(await readFile(join(folder, `${runtimeName}.json`), "utf8")) as { livekit: LivekitReport };
    const { versions, rows, figures } = whole.livekit;
    assert.match(versions["server"] ?? "", /\d/);
    assert.match(versions["python"] ?? "", /^\d/);
    assert.equal(figures.map(({ id }) => id), FIGURES);
    for (const { id, runs, measured } of figures) assert.ok(runs.length === 1 && Number.isFinite(measured), id);
    for (const { section, name, runs } of rows) {
      assert.ok(runs.length === 1 && runs.every(Number.isFinite), `${section}, ${name}`);
      assert.ok(output.includes(name) && output.includes(`\n${section}\n`));
    }
    for (const kind of ["millrace", "rtc-node", "python"]) assert.ok(rows.some(({ by }) => by === kind), kind);
    const svg = await readFile(join(folder, `${runtimeName}-livekit.svg`), "utf8");
    assert.match(svg, /^<svg [^]*<\/svg>\n$/);
    assert.not.match(svg, /NaN|undefined|Infinity/);
  }), { seconds: SECONDS });

test.run();
