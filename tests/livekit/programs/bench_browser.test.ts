// A quick run of some sections of the benchmark of pages leaves the expected figures. Its numbers are not checked, but one: privacy.
// needs: chromium
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runtimeName } from "../../../bench/report.ts";
import type { LivekitReport } from "../../../bench/livekit/results.ts";
import { suite } from "../../support/harness.ts";
import { runBench } from "../../support/livekit/run_bench.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";

/** Time limit, in seconds: a run takes about 25 s on an idle machine. */
const SECONDS = 120;

const test = suite("bench:browser");

test(
  "bench:browser: measures pages, and draws the results",
  () =>
    inTemporaryFolder(async (folder) => {
      await runBench("browser", SECONDS, "--quick", "--only=unread,bystander", `--out=${folder}`);
      const whole = JSON.parse(await readFile(join(folder, `${runtimeName}.json`), "utf8")) as { browser: LivekitReport };
      const { figures } = whole.browser;
      assert.equal(figures.map(({ id }) => id), ["unread", "bystander"]);
      for (const { id, runs, measured } of figures) assert.ok(runs.length === 1 && Number.isFinite(measured), id);
      assert.is(figures.find(({ id }) => id === "bystander")?.measured, 0);
      const svg = await readFile(join(folder, `${runtimeName}-browser.svg`), "utf8");
      assert.match(svg, /^<svg [^]*<\/svg>\n$/);
      assert.not.match(svg, /NaN|undefined|Infinity/);
    }),
  { seconds: SECONDS },
);

test("bench:browser: names an unknown section", async () => {
  const error = await runBench("browser", SECONDS, "--quick", "--only=none").catch((cause: unknown) => cause);
  assert.match(String(error), /there is no such section: name is "none"/);
}, { seconds: SECONDS });

test.run();
