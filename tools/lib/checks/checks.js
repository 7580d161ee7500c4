// Checks by name, each a list of commands that must end with code 0.
// {run} stands for the command that runs JavaScript, {bun} and {deno} for those programs, and {tsc} for the compiler. {checks} stands for the
// packages of tools/checks, {sources} for every source file, and {pack} for a new npm pack.
export const CHECKS = {
  format: [["{deno}", "fmt", "--check"]],
  lint: [
    ["{deno}", "lint"],
    ["{run}", "{checks}/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"],
  ],
  types: [
    ["{run}", "{tsc}", "--noEmit"],
    ["{deno}", "check", "{sources}"],
  ],
  knip: [["{run}", "{checks}/knip/bin/knip.js", "--no-progress"]],
  publint: [["{run}", "{checks}/publint/src/cli.js", "run", "{pack}", "--strict"]],
  attw: [["{run}", "{checks}/@arethetypeswrong/cli/dist/index.js", "{pack}", "--profile", "esm-only", "--no-emoji"]],
  jsr: [["{deno}", "publish", "--dry-run", "--allow-dirty"]],
  layering: [["{run}", "tools/test.js", "layering"]],
  docs: [
    ["{run}", "tools/acceptance/doc_examples.js"],
    ["{bun}", "tools/acceptance/doc_examples.js"],
    ["{deno}", "run", "-A", "tools/acceptance/doc_examples.js"],
  ],
  pack: [
    ["{run}", "tools/acceptance/pack_test.js"],
    ["{run}", "tools/acceptance/pack_cli_test.js"],
  ],
  start: [
    ["{run}", "tools/start.js"],
    ["{bun}", "tools/start.js"],
    ["{deno}", "run", "-A", "tools/start.js"],
  ],
};
