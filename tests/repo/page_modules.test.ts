// Modules that a web page loads, followed from its entries.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { type Import, imports, isPath, root, touchOfNode, withoutComments } from "../support/sources.ts";

/** Entries that a web page loads. */
const ENTRIES: readonly string[] = [
  "browser.ts",
  "transports/livekit_client/mod.ts",
  "workers/browser/entry.js",
  "integrations/ai_sdk/mod.ts",
];

/** Packages that a page may load. */
const PACKAGES: ReadonlySet<string> = new Set(["@noble/hashes/sha2", "comlink", "xstate"]);

const LOADED: ReadonlySet<string> = reachable(({ typeOnly }) => !typeOnly);

const test = suite("page modules");

test("browser.ts: leads to no module that touches Node's modules and globals", () => {
  assert.ok(LOADED.size > 100);
  assert.equal([...LOADED].flatMap((path) => touchOfNode(path) ?? []), []);
});

test("browser.ts: leads to few packages", () => {
  const packages = imports.filter(({ from, to, typeOnly }) => LOADED.has(from) && !typeOnly && !isPath(to)).map(({ to }) => to);
  assert.equal(new Set(packages), PACKAGES);
});

test("browser.ts: leads to no randomUUID, which pages without a secure context lack", () => {
  const users = [...LOADED].filter((path) => withoutComments(readFileSync(join(root, path), "utf8")).includes("randomUUID"));
  assert.equal(users, []);
});

test("browser.ts: needs no types of Node, which a page's program need not have", () => {
  const typed = reachable(() => true);
  const users = imports.filter(({ from, to, typeOnly }) => typeOnly && typed.has(from) && to.startsWith("node:")).map((
    { from },
  ) => from);
  assert.equal(users, []);
});

/** Files that a page's entries lead to by certain imports. */
function reachable(isFollowed: (one: Import) => boolean): Set<string> {
  const found = new Set<string>();
  const load = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const one of imports) if (one.from === path && isPath(one.to) && isFollowed(one)) load(one.to);
  };
  for (const entry of ENTRIES) load(entry);
  return found;
}

test.run();
