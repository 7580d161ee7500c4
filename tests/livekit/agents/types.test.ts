// needs: livekit-agents
// The structural types of millrace/livekit-agents beside the types of @livekit/agents 1.9.0, by the compiler.
import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { suite } from "../../support/harness.ts";

const test = suite("types of agents");

test("types: a job, a session's outputs and a Room of @livekit/agents are taken as they are", async () => {
  const compiler = join(projectRoot(), "node_modules", "typescript", "bin", "tsc");
  const project = join(projectRoot(), "tools", "livekit_agents");
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, "--project", project]);
  assert.is(stdout, "");
}, { seconds: 90 });

test.run();
