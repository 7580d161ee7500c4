// The house rules that can be read off the sources: imports, cycles, lengths of files, comments, agreement of both manifests.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import {
  described,
  folderOf,
  type Import,
  imports,
  isPath,
  layerOf,
  LAYERS,
  root,
  sources,
  touchOfNode,
  withoutComments,
} from "../support/sources.ts";

/** A longer file has a second subject. */
const MOST_LINES = 400;
const MOST_LIBRARY_LINES = 310;
/** Longer files are named on the output, for a review. */
const MANY_LINES = 250;

/** Folders whose comments are checked, and the files at the top. */
const COMMENTED: readonly string[] = [...LAYERS, "bench", "tests", "cli", "examples", ""];

/** Layers from which each layer may import values, beside itself, errors.ts and common/. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  common: [],
  protocol: [],
  workers: ["protocol"],
  transports: ["protocol"],
  files: ["protocol"],
  actors: ["protocol"],
  diagnostics: ["protocol"],
  integrations: ["protocol", "transports", "actors", ""], // "": mod.ts
};

/** Further layers from which each layer may import types. */
const TYPES_FROM: Readonly<Record<string, readonly string[]>> = {
  files: ["workers"],
  actors: ["workers", "transports", "files"],
  diagnostics: ["actors"],
};

/** Folders of the library, each above those that it may import. */
const STAIRCASE: readonly string[] = [
  "common",
  "common/platforms",
  "protocol",
  "protocol/wire",
  "protocol/flow",
  "workers",
  "workers/jobs",
  "workers/node",
  "workers/entry",
  "workers/pool",
  "workers/browser",
  "files",
  "files/web",
  "transports",
  "transports/hub",
  "transports/livekit/sdk",
  "transports/livekit",
  "transports/livekit_client",
  "actors/common",
  "actors/outgoing",
  "actors/writers",
  "actors/incoming",
  "actors/readers",
  "actors/records",
  "actors/requests",
  "actors/peers",
  "actors/stats",
  "actors/runtime",
  "actors/logic",
  "actors",
  "diagnostics",
  "integrations",
  "integrations/ai_sdk",
  "integrations/livekit_agents",
];

/** Folders on the staircase that do not import each other. */
const STRANGERS: readonly (readonly [string, string])[] = [
  ["actors/incoming", "actors/outgoing"],
  ["actors/incoming", "actors/writers"],
  ["actors/readers", "actors/outgoing"],
  ["actors/readers", "actors/writers"],
  ["transports/livekit", "transports/hub"],
];

/** Largest number of files in a folder. */
const MOST_FILES = 12;

/** Largest number of words of a sentence, and of a test's name. */
const MOST_WORDS = 25;

const test = suite("layering");

test("layering: sources and imports are found", () => {
  assert.ok(sources.has("errors.ts"));
  assert.ok(imports.some(({ from, to }) => from === "protocol/wire/packets.ts" || to === "errors.ts"));
});

test("layering: a layer imports only from the layers below", () => {
  assert.equal(imports.filter((one) => LAYERS.includes(layerOf(one.from)) && !isAllowed(one)).map(described), []);
});

test("layering: only workers, files, a LiveKit room and common/platforms touch Node's modules and globals", () => {
  const homes = ["workers", "files", "diagnostics"];
  const isHome = (path: string): boolean =>
    path === "common/platforms/node.ts" || homes.includes(layerOf(path)) || folderOf(path).startsWith("transports/livekit");
  const core = [...sources].filter(([path]) => [...LAYERS, ""].includes(layerOf(path)) && !isHome(path));
  const found = core.flatMap(([path]) => touchOfNode(path) ?? []);
  assert.equal(found, []);
});

test("layering: errors.ts and common/ import nothing of the layers above", () => {
  assert.equal(imports.filter(({ from, to }) => isFoundation(from) && sources.has(to) && !isFoundation(to)).map(described), []);
});

test("layering: only programs, tests and the integration of agents, which run on Node, import mod.ts", () => {
  const homes = ["integrations/livekit_agents"];
  const wrong = imports.filter(({ from, to }) =>
    to === "mod.ts" && LAYERS.includes(layerOf(from)) && !homes.includes(folderOf(from))
  );
  assert.equal(wrong.map(described), []);
});

test("layering: only workers/ imports comlink or starts threads", () => {
  const allowed = ["workers", "bench", "tests", "tools"];
  const threads = (to: string): boolean => ["comlink", "node:worker_threads", "worker_threads"].includes(to);
  assert.equal(imports.filter(({ from, to }) => threads(to) && !allowed.includes(layerOf(from))).map(described), []);
  const starts = [...sources].filter(([path, text]) => LAYERS.includes(layerOf(path)) && /\bnew Worker\(/.test(text)).map((
    [path],
  ) => path);
  assert.equal(starts.filter((path) => layerOf(path) !== "workers"), []);
});

test("layering: nothing imports an integration, so that it costs only those who do", () => {
  const wrong = imports.filter(({ from, to }) =>
    layerOf(to) === "integrations" && [...LAYERS, ""].includes(layerOf(from)) && layerOf(from) !== "integrations"
  );
  assert.equal(wrong.map(described), []);
});

test("layering: only actors/ and mod.ts import xstate", () => {
  const wrong = imports.filter(({ from, to }) =>
    /^xstate(\/|$)/.test(to) && LAYERS.includes(layerOf(from)) && layerOf(from) !== "actors"
  );
  assert.equal(wrong.map(described), []);
});

test("layering: the library imports no LiveKit package: a Room is given", () => {
  const wrong = imports.filter(({ from, to }) =>
    /^(@livekit\/|livekit-|rtc-node)/.test(to) && (LAYERS.includes(layerOf(from)) || from === "mod.ts")
  );
  assert.equal(wrong.map(described), []);
});

test("layering: protocol/ has no timers and no I/O", () => {
  const wrong = [...sources].filter(([path]) => layerOf(path) === "protocol").flatMap(([path, text]) => {
    const found = /\b(setTimeout|setInterval|setImmediate|Date\.now|Math\.random|fetch)\(/.exec(withoutComments(text));
    return found === null ? [] : [`${path}: ${found[1]}`];
  });
  assert.equal(wrong, []);
});

test("layering: the wall clock gives timestamps, no durations", () => {
  // The times in a stream's info, and of the begin of an avatar's playback.
  const stamps = ["actors/runtime/stream_infos.ts", "integrations/livekit_agents/avatar_audio_output.ts"];
  const wrong = [...sources].filter(([path, text]) => !stamps.includes(path) && /\bDate\.now\b/.test(withoutComments(text)));
  assert.equal(wrong.map(([path]) => path).filter((path) => layerOf(path) !== "tests"), []);
});

test("layering: imports form no cycle, of files or of the library's folders, types included", () => {
  assert.equal(findCycle(graphOf((path) => path)), []);
  assert.equal(findCycle(graphOf((path) => LAYERS.includes(layerOf(path)) ? folderOf(path) : path)), []);
});

test("layering: a folder imports only from folders below it on the staircase", () => {
  const wrong = imports.filter(({ from, to }) => {
    const [step, other] = [STAIRCASE.indexOf(folderOf(from)), STAIRCASE.indexOf(folderOf(to))];
    return step >= 0 && other >= 0 && other > step;
  });
  assert.equal(wrong.map(described), []);
  const folders = new Set([...sources.keys()].filter((path) => LAYERS.includes(layerOf(path))).map(folderOf));
  assert.equal([...folders].filter((folder) => !STAIRCASE.includes(folder)), []);
  for (const [one, other] of STRANGERS) {
    const known = imports.filter(({ from, to }) => folderOf(from) === one && folderOf(to) === other);
    assert.equal(known.map(described), []);
  }
});

test("layering: no folder has too many files", () => {
  const counts = new Map<string, number>();
  for (const path of sources.keys()) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
  assert.equal([...counts].filter(([folder, count]) => folder !== "" && count > MOST_FILES), []);
});

test("layering: every relative import names an existing file", () => {
  assert.equal(
    imports.filter(({ to }) => to.startsWith("../") || (isPath(to) && !existsSync(join(root, to)))).map(described),
    [],
  );
});

test("layering: no file is too long", () => {
  const lengths = [...sources].map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }));
  for (const { path, lines } of lengths) {
    if (lines > MANY_LINES && LAYERS.includes(layerOf(path))) console.log(`    ${path} has ${lines} lines`);
  }
  const most = (path: string): number => LAYERS.includes(layerOf(path)) ? MOST_LIBRARY_LINES : MOST_LINES;
  assert.equal(lengths.filter(({ path, lines }) => lines > most(path)), []);
});

test("comments: all begin with a noun or a verb", () => {
  const opening = /(?:\/\*\*|^\s*\*|\/\/) ?(?:What|Who|Of|Those|Whether it)\b.*/gm;
  const wrong = [...sources].filter(([path]) => COMMENTED.includes(layerOf(path))).flatMap(([path, text]) =>
    [...text.matchAll(opening)].map(([line]) => `${path}: ${line.trim()}`)
  );
  assert.equal(wrong, []);
});

test("comments: sentences have 25 words at most", () => {
  const wrong = [...sources].filter(([path]) => COMMENTED.includes(layerOf(path))).flatMap(([path, text]) =>
    commentsOf(text).flatMap((comment) => comment.split(/[.:;!?](?=\s|$)|\n/)).filter((sentence) =>
      wordsOf(sentence) > MOST_WORDS
    )
      .map((sentence) => `${path}: ${sentence.trim()}`)
  );
  assert.equal(wrong, []);
});

test("tests: names have 25 words at most, and begin with what they are about", () => {
  const name = /^\s*test\(\s*(?:"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)/gm;
  const subject = /^(?:.{1,60}?(?::|\(\))|[A-Z]\w*\.\w+|[A-Z][a-z]+[A-Z]\w*)(?= |$)/;
  const wrong = [...sources].filter(([path]) => layerOf(path) === "tests").flatMap(([path, text]) =>
    [...text.matchAll(name)].map(([, plain, template]) => (plain ?? template ?? "").replace(/\$\{[^}]*\}/g, "x"))
      .filter((title) => !subject.test(title) || wordsOf(title) > MOST_WORDS).map((title) => `${path}: ${title}`)
  );
  assert.equal(wrong, []);
});

test("layering: no file refers to anything beside the clone", () => {
  const beside = ["..", "shared"].join("/"); // not as one literal: this file is looked at too
  assert.equal([...sources].filter(([, text]) => text.includes(beside)).map(([path]) => path), []);
});

test("manifests: package.json and deno.json have the same version and dependencies, and exports that resolve", () => {
  const npm = readJson("package.json");
  const jsr = readJson("deno.json");
  assert.is(jsr["version"], npm["version"]);
  assert.is(readJson("package-lock.json")["version"], npm["version"]);

  const wanted = Object.entries(npm["dependencies"] as Record<string, string>).map(([name, range]) => `npm:${name}@${range}`);
  const mapped = Object.values(jsr["imports"] as Record<string, string>).filter((to) => to.startsWith("npm:"));
  assert.equal(new Set(mapped), new Set(wanted));

  const entries = jsr["exports"] as Record<string, string>;
  for (const path of Object.values(entries)) assert.ok(existsSync(join(root, path)), `deno.json exports ${path}`);
  const compiled = npm["exports"] as Record<string, string | { types: string; default: string }>;
  for (const [name, target] of Object.entries(compiled)) {
    if (typeof target === "string" || name === "./worker") continue; // JSR takes no JavaScript, and nobody bundles for Deno
    const source = entries[name] ?? "(nothing)";
    assert.is(target.default, source.replace("./", "./dist/").replace(/\.ts$/, ".js"), `package.json exports "${name}"`);
    assert.is(target.types, source.replace("./", "./dist/").replace(/\.ts$/, ".d.ts"), `package.json exports "${name}"`);
  }
});

test("manifests: cli/npm/package.json has the project's version, and ranges that are tested here", () => {
  const npm = readJson("package.json");
  const cli = readJson("cli/npm/package.json");
  assert.is(cli["version"], npm["version"]);
  assert.equal([cli["license"], cli["engines"]], [npm["license"], npm["engines"]]);
  const tested: Record<string, string> = {
    ...npm["devDependencies"] as Record<string, string>,
    millrace: `^${String(npm["version"])}`,
  };
  const ranges = cli["dependencies"] as Record<string, string>;
  assert.equal(ranges, Object.fromEntries(Object.keys(ranges).map((name) => [name, tested[name]])));
  const bare = imports.filter(({ from, to }) => layerOf(from) === "cli" && !isPath(to) && !to.startsWith("node:"));
  assert.equal(new Set(bare.map(({ to }) => packageOf(to))), new Set(Object.keys(ranges)));
});

test("layering: bench/ imports nothing of tests/, and bench/support nothing of either", () => {
  const ofBench = imports.filter(({ from }) => layerOf(from) === "bench");
  assert.equal(ofBench.filter(({ to }) => layerOf(to) === "tests").map(described), []);
  const ofShared = ofBench.filter(({ from, to }) => folderOf(from) === "bench/support" && isPath(to));
  assert.ok(ofShared.length > 0);
  assert.equal(ofShared.filter(({ to }) => folderOf(to) !== "bench/support").map(described), []);
});

test("layering: the command imports the library by name, as its users' programs do", () => {
  const wrong = imports.filter(({ from, to }) => layerOf(from) === "cli" && isPath(to) && layerOf(to) !== "cli");
  assert.equal(wrong.map(described), []);
});

test.run();

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const layer = layerOf(from);
  if (!isPath(to)) {
    return (layer !== "protocol" && layer !== "common") || to.startsWith("msgpackr/") || folderOf(from) === "common/platforms";
  }
  if (isFoundation(to) || layerOf(to) === layer) return layer !== "protocol" || to !== "common/event_loop.ts";
  return (BELOW[layer] ?? []).includes(layerOf(to)) || (typeOnly && (TYPES_FROM[layer] ?? []).includes(layerOf(to)));
}

function isFoundation(path: string): boolean {
  return path === "errors.ts" || layerOf(path) === "common";
}

/** Package of a specifier: "modern-tar" for "modern-tar/fs", "@livekit/rtc-node" for itself. */
function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Texts of the comments without tables, each joined from its lines; a line that is indented further stays apart. */
function commentsOf(text: string): string[] {
  const blocks = /(?:^[ \t]*\/\/.*\n)+|\/\*\*[^]*?\*\/|\s\/\/ .*/gm;
  return [...text.matchAll(blocks)].map(([block]) =>
    block.split("\n").filter((line) => !/^\s*\* \|/.test(line)).map((line) =>
      line.replace(/^\s*(?:\/\*\*|\*\/|\*|\/\/) ?|\*\/$/g, "")
    ).join("\n").replace(/\n(?! )/g, " ")
  );
}

function wordsOf(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /\w/.test(word)).length;
}

/** Nodes of one cycle of a graph, or none. */
function findCycle(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const done = new Set<string>();
  const visit = (node: string, above: readonly string[]): string[] => {
    if (above.includes(node)) return [...above.slice(above.indexOf(node)), node];
    if (done.has(node)) return [];
    done.add(node);
    for (const to of graph.get(node) ?? []) {
      const cycle = visit(to, [...above, node]);
      if (cycle.length > 0) return cycle;
    }
    return [];
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

/** Graph of the imports, types included, after both ends were mapped; imports within a node are left out. */
function graphOf(nodeOf: (path: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of imports.filter(({ to }) => sources.has(to))) {
    const [node, other] = [nodeOf(from), nodeOf(to)];
    if (node !== other) graph.set(node, (graph.get(node) ?? new Set()).add(other));
  }
  return graph;
}

function readJson(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, name), "utf8")) as Record<string, unknown>;
}
