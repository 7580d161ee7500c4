// A program of two runtimes that does its work and ends by itself, on Deno with the fewest possible permissions. The SDK's native part opens
// its connections itself, past Deno: so no network permission is needed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { programFile } from "../../../bench/support/program_command.ts";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { projectRoot } from "../../../bench/support/programs.ts";
import { startServer } from "../../../bench/support/server.ts";

const test = suite("Deno permissions");

/** Variables read as the SDK is loaded, and by its logger. */
const VARIABLES = [
  "NODE_ENV",
  "NODE_V8_COVERAGE",
  "NAPI_RS_NATIVE_LIBRARY_PATH",
  "NAPI_RS_FORCE_WASI",
  "BUF_BIGINT_DISABLE",
  "LIVEKIT_DEBUG_LOG_ROOM_EVENTS",
];

test("Deno permissions: a text and a file go through a room", () =>
  inTemporaryFolder(async (folder) => {
    await using server = await startServer();
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    await mkdir(here);
    await mkdir(there);
    const content = pattern(500_000);
    await writeFile(join(here, "numbers.bin"), content);
    const tokens = [await server.token("alice", "room"), await server.token("bob", "room")];
    const permissions = [
      "--allow-ffi=node_modules/@livekit",
      `--allow-env=${VARIABLES.join()}`,
      "--allow-sys=hostname",
      `--allow-read=/usr/bin/ldd,${here},${there}`, // by the first the SDK finds out which of its native parts fits
      `--allow-write=${there}`,
    ];
    const { code, output, notices } = await run(permissions, [
      server.url,
      ...tokens,
      join(here, "numbers.bin"),
      join(there, "numbers.bin"),
    ]);
    assert.is(code, 0, `${output}${notices}`);
    // Without permission to read Millrace's own folder there are no worker threads, which is reported once.
    assert.is(notices.match(/Cannot start workers/g)?.length ?? 0, "Deno" in globalThis ? 1 : 0, notices);
    assert.equal(JSON.parse(output), { text: "hello", receipts: [{ identity: "bob", bytes: content.length }] });
    assert.ok((await readFile(join(there, "numbers.bin"))).equals(content));
  }), { seconds: 40 });

test.run();

async function run(permissions: string[], args: string[]): Promise<{ code: number | null; output: string; notices: string }> {
  const program = programFile("tests/fixtures/livekit_transfer");
  const runtime = "Deno" in globalThis ? ["run", "--no-prompt", ...permissions] : [];
  const child = spawn(process.execPath, [...runtime, program, ...args], {
    cwd: projectRoot(),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production" }, // which Bun reads before the program does
  });
  try {
    let output = "";
    let notices = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (notices += text));
    const [code] = await once(child, "close") as [number | null];
    return { code, output, notices };
  } finally {
    child.kill("SIGKILL");
  }
}
