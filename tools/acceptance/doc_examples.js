// node tools/acceptance/doc_examples.js [part of a file's name ...]
// Runs every ```ts block of the documents and doc comments, on the runtime that runs this. Type-checks them, on Node by tsc, on Deno by
// deno check. Blocks marked ```ts ignore are skipped. A block without an import continues the block before it in the same file, so that a
// text can build an example step by step. Each example runs in its own folder, with a "report.pdf" of 1 MB. It must end by itself, with code
// 0, within the limit.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { buildIfStale, sourceFiles } from "../lib/build.js";
import { run } from "../lib/processes.js";
import { commandFor, compiler, executable, root, runtime, runtimeLabel } from "../lib/runtime.js";
import { note, tally } from "../lib/tally.js";

/** Time limit of an example, in seconds. */
const EXAMPLE_SECONDS = 30;
const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "PROTOCOL.md",
  "docs/reference.md",
  "docs/livekit.md",
  "docs/figures.md",
  "docs/flow.md",
];
const NOT_PUBLIC = /^(tests|bench|examples|cli)\//;

const filters = process.argv.slice(2);
const folder = join(root, ".cache", `doc_examples_${runtime}`);

await tally(main, () => rmSync(folder, { recursive: true, force: true }));

async function main() {
  console.log(`Doc examples on ${runtimeLabel}`);
  const examples = [
    ...DOCUMENTS.filter((path) => existsSync(join(root, path))),
    ...sourceFiles().filter((path) => !NOT_PUBLIC.test(path)),
  ]
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .flatMap(examplesOf);
  if (examples.length === 0) {
    throw new Error("Cannot find an example: expected a ts block in a document or doc comment that a filter names");
  }
  write(examples);
  if (runtime === "node") await buildIfStale();
  await typeCheck(examples);
  for (const example of examples) await runExample(example);
}

/** Reads the examples of one file, each with its place and text. */
function examplesOf(path) {
  const lines = readFileSync(join(root, path), "utf8").split("\n").map((line) =>
    path.endsWith(".md") ? line : line.replace(/^\s*\* ?/, "")
  );
  const examples = [];
  let block;
  lines.forEach((line, at) => {
    if (block === undefined) {
      if (/^```ts\s*$/.test(line)) block = { line: at + 1, text: "" };
    } else if (line.startsWith("```")) {
      if (/^import /m.test(block.text) || examples.length === 0) {
        examples.push({ place: `${path}:${block.line}`, text: block.text });
      } else examples.at(-1).text += block.text;
      block = undefined;
    } else block.text += `${line}\n`;
  });
  return examples;
}

function write(examples) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: {
      rootDir: "../..",
      outDir: "out",
      noEmit: false,
      declaration: false,
      noUnusedLocals: false,
    },
    include: ["*.ts"],
    exclude: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  examples.forEach((example, index) => {
    example.name = `example_${index}`;
    writeFileSync(join(folder, `${example.name}.ts`), `// ${example.place}\n${example.text}export {};\n`);
    mkdirSync(join(folder, "in", example.name), { recursive: true });
    writeFileSync(join(folder, "in", example.name, "report.pdf"), new Uint8Array(1_000_000).map((_, at) => at * at));
  });
}

/** Checks the types of all examples at once; on Node also compiles them. */
async function typeCheck(examples) {
  if (runtime === "bun") return; // Bun has no type checker
  const command = runtime === "node"
    ? [executable, compiler, "-p", folder]
    : [executable, "check", ...examples.map(({ name }) => join(folder, `${name}.ts`))];
  const { code, output } = await run(command, { seconds: 120, env: { NO_COLOR: "1" } });
  note(code === 0, "types", output.replace(/example_(\d+)\.ts/g, (file, index) => `${file} [${examples[index]?.place}]`));
}

async function runExample({ name, place }) {
  // Compiled examples are below out/. Node resolves "millrace" by the exports of this package, whose name it is.
  const program = runtime === "node" ? compiled(name) : join(folder, `${name}.ts`);
  const config = runtime === "deno" ? ["--config", join(root, "deno.json")] : [];
  const options = { cwd: join(folder, "in", name), seconds: EXAMPLE_SECONDS, env: { NO_COLOR: "1" } };
  const { code, output, late } = await run([...commandFor(runtime), ...config, program], options);
  note(code === 0, place, late ? `${output}It must end within ${EXAMPLE_SECONDS} s` : output);
}

function compiled(name) {
  const file = readdirSync(join(folder, "out"), { recursive: true }).find((path) => path.endsWith(`${name}.js`));
  if (file === undefined) throw new Error(`Cannot find a compiled example: name is "${name}"`);
  return join(folder, "out", file);
}
