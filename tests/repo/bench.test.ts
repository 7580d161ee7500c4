// A brief run of the benchmark leaves the expected files. Its numbers are not checked.
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { programCommand } from "../../bench/support/program_command.ts";
import { type Figure, type Noise, type Report, type Row, runtimeName } from "../../bench/report.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const SECTIONS = ["codec", "chunk size", "write size", "send"];
const FIGURES = [
  "hold-write",
  "hold-text",
  "hold-file",
  "hold-eight",
  "hold-begun-1",
  "hold-begun-64",
  "limit",
  "limit-loop",
  "pool-bytes",
  "pool-text",
  "texts-cpu",
  "texts",
  "streams-64",
  "compressed-workers",
  "framed",
  "actor-outgoing",
  "actor-incoming",
  "pipe",
  "unread",
  "file",
  "import",
  ..."Deno" in globalThis ? [] : ["heap"],
];

const test = suite("bench");

test("bench: measures throughput and holds, and draws them", async () => {
  await inTemporaryFolder(async (folder) => {
    const output = await bench(folder);
    const report = await readReport(folder);
    assert.ok(report.brief);
    const rows = report.rows ?? [];
    assert.equal([...new Set(rows.map(({ section }) => section))], SECTIONS);
    for (const row of rows) assertRow(row);
    for (const peer of ["pool", "inline", "raw messages", "piscina"]) {
      assert.equal(rows.filter(({ section, name }) => section === "codec" && name === peer).length, 4, peer);
    }
    assertNoise(report.noise);
    for (const section of SECTIONS) assert.match(output, `\n${section}\n`);
    const svg = await readFile(join(folder, `${runtimeName}.svg`), "utf8");
    assert.match(svg, /^<svg [^]*<\/svg>\n$/);
    assert.not.match(svg, /NaN|undefined|Infinity/);
  });
}, { seconds: 60 });

test("bench: tells where the time of a large send goes, where the runtime has a profiler", async () => {
  const { code, output } = await run("--profile");
  assert.is(code === 0, runtimeName === "node", output);
  const expected = runtimeName === "node" ? /read by readAll[^]*total[^]*into used memory/ : /only Node has this profiler/;
  assert.match(output, expected);
}, { seconds: 60 });

test("bench: measures each figure to reach, and keeps the results of the other half", async () => {
  await inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, `${runtimeName}.json`), JSON.stringify({ rows: [] }));
    const output = await bench(folder, "--figures");
    const report = await readReport(folder);
    const figures = report.figures ?? [];
    assert.equal(figures.map(({ id }) => id), FIGURES);
    for (const figure of figures) assertFigure(figure, output);
    assertNoise(report.figuresNoise);
    assert.equal(report.rows, []);
  });
}, { seconds: 60 });

test("bench: measures the figures of one section, and keeps the others", async () => {
  await inTemporaryFolder(async (folder) => {
    const others = [{ id: "limit" }, { id: "actor-outgoing" }, { id: "unread" }];
    await writeFile(join(folder, `${runtimeName}.json`), JSON.stringify({ figures: others }));
    const output = await bench(folder, "--figures", "--only=actors");
    const [limit, outgoing, unread, incoming] = (await readReport(folder)).figures ?? [];
    assert.equal([limit, unread], [others[0], others[2]]);
    for (const figure of [outgoing, incoming]) assertFigure(figure as Figure, output);
    assert.equal([outgoing?.id, incoming?.id], ["actor-outgoing", "actor-incoming"]);
  });
}, { seconds: 60 });

test.run();

/** Runs the benchmark as a user would, in its brief form. */
async function bench(folder: string, ...args: string[]): Promise<string> {
  const { code, output } = await run(`--out=${folder}`, ...args);
  assert.is(code, 0, output);
  return output;
}

async function run(...args: string[]): Promise<{ code: unknown; output: string }> {
  const [program, ...rest] = programCommand("bench/main", "--brief", ...args);
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => output += text);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, output };
}

async function readReport(folder: string): Promise<Report> {
  return JSON.parse(await readFile(join(folder, `${runtimeName}.json`), "utf8")) as Report;
}

function assertRow({ section, name, size, rate, share, holds }: Row): void {
  const label = `${section}, ${name}, ${size}`;
  assert.ok(size > 0, label);
  assert.ok(rate > 0 && Number.isFinite(rate), label);
  assert.ok(share > 0 && Number.isFinite(share), label);
  assert.ok(holds !== undefined && holds.longest >= holds.p99 && holds.p99 >= 0 && holds.samples > 0, label);
}

function assertFigure({ id, unit, reach, better, measured, noise, reached, runs, note }: Figure, output: string): void {
  assert.ok(runs.length > 0 && runs.every(Number.isFinite), id);
  assert.ok(runs.includes(measured), id);
  assert.ok(noise !== undefined && noise >= 0, id);
  assert.ok((reach > 0 || id === "pipe") && unit !== "" && note !== "", id);
  if (reached) assert.ok(better === "less" ? measured <= reach : measured >= reach, id);
  assert.match(output, new RegExp(`${reached ? "held" : "SHORT"}`), id);
}

function assertNoise(noise: Noise | undefined): void {
  assert.ok(noise !== undefined);
  assert.ok(noise.sha256 > 0 && noise.memcpy > 0 && noise.coresFree > 0);
  assert.ok(noise.sha256Spread >= 0 && noise.idle.samples > 0);
}
