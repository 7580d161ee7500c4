// Recipes of examples/agents as texts: each is short, and README.md shows them as they are.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { projectRoot } from "../../bench/support/project_root.ts";
import { suite } from "../support/harness.ts";

const test = suite("recipes");

/** Largest number of lines of a recipe. */
const MOST_LINES = 40;

/** Recipes that README.md shows, without their first line. It links the others. */
const SHOWN = ["ai_sdk.ts", "langgraph.ts", "mcp_tool.ts"];
const LINKED = ["ai_sdk_chat.ts", "chat_page.ts", "inspected_machine.ts", "openai_agents.ts"];

const folder = join(projectRoot(), "examples", "agents");
const readme = readFileSync(join(projectRoot(), "README.md"), "utf8");

for (const name of [...SHOWN, ...LINKED]) {
  const text = readFileSync(join(folder, name), "utf8");

  test(`recipes: ${name} says first what it does, has ${MOST_LINES} lines at most, and README.md links it`, () => {
    assert.match(text, /^\/\/ .*\.\n/);
    const lines = text.split("\n").length - 1;
    assert.ok(lines <= MOST_LINES, `${name} has ${lines} lines`);
    assert.match(readme, `(examples/agents/${name})`);
  });
}

for (const name of SHOWN) {
  test(`recipes: README.md shows ${name} as it is`, () => {
    const code = readFileSync(join(folder, name), "utf8").replace(/^.*\n/, "");
    assert.ok(readme.includes(`\`\`\`ts no-run\n${code}\`\`\`\n`), `Expected this code in README.md:\n${code}`);
  });
}

test("recipes: all are in these lists", () => {
  const known = [...SHOWN, ...LINKED, "fakes.ts"];
  assert.equal(readdirSync(folder).filter((name) => name.endsWith(".ts") && !known.includes(name)), []);
});

test.run();
