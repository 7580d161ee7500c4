// Effects of the import of mod.ts alone, in a process of its own.
import * as assert from "uvu/assert";
import { runChild } from "../../bench/figures/children/run_child.ts";
import { suite } from "../support/harness.ts";

const test = suite("import");

test('import "millrace": starts no worker and, on Deno, needs no permission: only modules are read', async () => {
  const denoPermissions = ["--allow-sys=cpus"]; // with none at all, Deno's node:child_process takes the command for Node's and allows all
  const { took, workers } = await runChild<{ took: number; workers: number }>("import_child", [], denoPermissions);
  assert.is(workers, 0);
  assert.ok(took > 0);
});

test.run();
