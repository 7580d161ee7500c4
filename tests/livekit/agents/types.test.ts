// needs: livekit-agents
// The structural types of millrace/livekit-agents beside the types of @livekit/agents 1.9.0, by the compiler.
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { suite } from "../../support/harness.ts";

const root = projectRoot();
const project = join(root, "tools", "livekit_agents");

const test = suite("types of agents");

/** Compiles a project without output. Resolves with the compiler's messages. */
async function messagesOf(folder: string): Promise<string> {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    return (await promisify(execFile)(process.execPath, [compiler, "--project", folder])).stdout;
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

test("types: a job, a session's outputs and a Room of @livekit/agents are taken as they are", async () => {
  assert.is(await messagesOf(project), "");
}, { seconds: 90 });

test("types: the README's programs for an agent compile", async () => {
  const section = /^### In a LiveKit agent\n([^]*?)^## /m.exec(await readFile(join(root, "README.md"), "utf8"))?.[1] ?? "";
  const blocks = [...section.matchAll(/^```ts no-run\n([^]*?)^```/gm)].map(([, code]) => code ?? "");
  assert.is(blocks.length, 2);
  const folder = join(root, ".cache", `agent_types_${process.pid}`);
  const paths = {
    "@livekit/agents": [join(project, "node_modules", "@livekit", "agents", "dist", "index.d.ts")],
    millrace: ["../../mod.ts"],
    "millrace/livekit": ["../../transports/livekit/mod.ts"],
    "millrace/livekit-agents": ["../../integrations/livekit_agents/mod.ts"],
  };
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: { noEmit: true, rootDir: "../..", paths },
    include: ["*.ts"],
  };
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ ...config, exclude: [] }));
    for (const [at, code] of blocks.entries()) await writeFile(join(folder, `program_${at}.ts`), code);
    assert.is(await messagesOf(folder), "");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, { seconds: 90 });

test.run();
