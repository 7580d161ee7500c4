// A quick run of the benchmark over lines leaves the expected files. Its numbers are not checked.
// needs: python
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { LinksReport } from "../../../bench/links/results.ts";
import { runtimeName } from "../../../bench/report.ts";
import { suite } from "../../support/harness.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { runBench } from "../../support/livekit/run_bench.ts";

/** Time limit, in seconds: a run takes about 15 s on an idle machine. */
const SECONDS = 90;

const FIGURES = [
  ...["goodput-loopback", "message-loopback", "hold-random-loopback", "hold-json-loopback", "json-loopback"],
  ...["goodput-narrow", "message-narrow", "hold-random-narrow"],
];

const test = suite("bench:links");

test(
  "bench:links: measures each contender over each link, with messages and calls in the background, and draws the results",
  () =>
    inTemporaryFolder(async (folder) => {
      const output = await runBench("links", SECONDS, "--quick", `--out=${folder}`);
      const whole = JSON.parse(await readFile(join(folder, `${runtimeName}.json`), "utf8")) as { links: LinksReport };
      const { versions, rows, figures } = whole.links;
      assert.match(versions["server"] ?? "", /\d/);
      assert.equal(figures.map(({ id }) => id), FIGURES);
      for (const { id, runs, measured } of figures) assert.ok(runs.length === 1 && Number.isFinite(measured), id);
      const groups = new Set(rows.map(({ link, contents }) => `${link} ${contents}`));
      assert.equal([...groups], ["loopback random", "loopback json", "narrow random"]);
      assert.is(rows.length, 8);
      for (const { name, runs, rate, p95, call } of rows) {
        assert.ok(output.includes(name));
        assert.is(runs.length, 1, name);
        for (const value of [rate, p95, call]) assert.ok(Number.isFinite(value), name);
        for (const { share, messages, lost, why } of runs) {
          assert.is(why, undefined, name);
          assert.ok(rate > 0 && share === 1 && lost === 0 && messages >= 0, name);
        }
      }
      const svg = await readFile(join(folder, `${runtimeName}-links.svg`), "utf8");
      assert.match(svg, /^<svg [^]*<\/svg>\n$/);
      assert.not.match(svg, /NaN|undefined|Infinity/);
    }),
  { seconds: SECONDS },
);

test("bench:links: names unknown links and contents", async () => {
  for (const wrong of ["--links=none", "--link=20,"]) {
    await runBench("links", SECONDS, "--quick", wrong).then(() => assert.unreachable(wrong), ({ message }: Error) => {
      assert.match(message, /Cannot measure/, wrong);
    });
  }
}, { seconds: SECONDS });

test.run();
