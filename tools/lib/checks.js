// The checks by name, each a list of commands that must end well. `{deno}` and `{bun}` stand for those runtimes' programs, `{run}` for
// what runs JavaScript here, `{sources}` for every source file, and `{pack}` for a fresh npm pack.
export const CHECKS = {
  format: [["{deno}", "fmt", "--check"]],
  lint: [
    ["{deno}", "lint"],
    ["{run}", "oxlint/bin/oxlint", "--type-aware", "--deny-warnings"],
  ],
  types: [
    ["{run}", "typescript/bin/tsc", "--noEmit"],
    ["{run}", "typescript/bin/tsc", "-p", "tsconfig.declarations.json"],
    ["{deno}", "check", "{sources}"],
  ],
  knip: [["{run}", "knip/bin/knip.js", "--no-progress"]],
  publint: [["{run}", "publint/src/cli.js", "run", "{pack}", "--strict"]],
  attw: [["{run}", "@arethetypeswrong/cli/dist/index.js", "{pack}", "--profile", "esm-only", "--no-emoji"]],
  jsr: [["{deno}", "publish", "--dry-run", "--allow-dirty"]],
  layering: [["{run}", "tools/test.js", "layering"]],
  docs: [
    ["{run}", "tools/doc_examples.js"],
    ["{bun}", "tools/doc_examples.js"],
    ["{deno}", "run", "-A", "tools/doc_examples.js"],
  ],
  pack: [["{run}", "tools/pack_test.js"]],
  start: [
    ["{run}", "tools/start.js"],
    ["{bun}", "tools/start.js"],
    ["{deno}", "run", "-A", "tools/start.js"],
  ],
};
