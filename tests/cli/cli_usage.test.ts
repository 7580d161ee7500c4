// Arguments and environment of the command.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { readCredentials } from "../../cli/room/credentials.ts";
import { toFailure } from "../../cli/failure.ts";
import { handleSignals } from "../../cli/signal_handlers.ts";
import { bytesText, printableLine, printableText } from "../../cli/output/printable.ts";
import { createHub } from "../../mod.ts";
import { CliProgram } from "../support/cli/cli_program.ts";
import { CliRun, start } from "../support/cli/cli_runs.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("millrace usage");

test("millrace --help, --version: print to stdout and exit with 0, without a room", async () => {
  for (
    const [argv, expected] of [
      [["--help"], /Usage: millrace/],
      [["send", "--help"], /--attribute/],
      [["receive", "-h"], /--stdout/],
      [["chat", "--help"], /Exit codes: 0 done; 1 .*; 2 .*; 3 .*; 130 .*; 143/],
      [["--version"], /^\d+\.\d+\.\d+\n$/],
    ] as const
  ) {
    const run = new CliRun(createHub(), argv);
    assert.is(await run.ended, 0);
    assert.match(run.out, expected);
    assert.is(run.err, "");
    assert.is(run.rooms.joined, 0);
  }
});

test("millrace: wrong arguments exit with 2 and one line that says what is wrong", async () => {
  for (
    const [argv, expected] of [
      [[], /Usage: millrace/],
      [["fetch"], /unknown command 'fetch'/],
      [["send"], /missing required argument 'file'/],
      [["send", "a", "--what"], /unknown option '--what'/],
      [["send", "a", "--wait", "long"], /Cannot read the arguments: .*--wait.*must be a number of seconds/],
      [["send", "a", "--attribute", "alone"], /KEY=VALUE/],
      [["send", "a", "--to", "bob,,carol"], /Each name must be non-empty/],
      [["send", "a", "b", "--name", "c"], /Cannot send as --name must come with one file: there are 2/],
      [["send", "-", "-"], /Cannot send as stdin must be named only once/],
      [["receive", "--dir", ""], /Cannot receive into the folder as its path must be non-empty/],
      [["send", "a", "--receivers", "0"], /--receivers.*must be an integer from 1/],
      [["send", "a", "--receivers", "2", "--to", "bob"], /cannot be used with option/],
      [["receive", "--dir", "in", "--stdout"], /Cannot receive as one target must be given/],
      [["receive", "--stdout", "--json"], /Cannot receive to stdout as --json needs stdout/],
      [["receive", "--dir", "in", "--count", "0"], /must be an integer from 1/],
      [["receive", "--dir", "in", "--once", "--count", "3"], /cannot be used with option/],
      [["chat", "hello"], /too many arguments/],
      [["top", "--interval", "0"], /must be 0\.1 seconds at least/],
      [["top", "--socket", ""], /It must be a path/],
      [["doctor"], /required option '--to <name>' not specified/],
      [["doctor", "--to", "bob,carol"], /Cannot examine as --to must be one name: got 2/],
      [["doctor", "--to", "bob", "--seconds", "11"], /Cannot examine as --seconds must be 10 at most: got 11/],
    ] as const
  ) {
    const run = new CliRun(createHub(), argv);
    assert.is(await run.ended, 2, argv.join(" "));
    assert.match(run.err, expected);
    if (!argv.some((word) => word === "--json")) assert.is(run.out, "");
    assert.is(run.rooms.joined, 0);
  }
});

test("millrace --json: an error is an event as well", async () => {
  const run = new CliRun(createHub(), ["receive", "--stdout", "--json"]);
  assert.is(await run.ended, 2);
  assert.is(run.lines.length, 1);
  assert.is(run.lines[0]?.event, "error");
  assert.is(run.lines[0]?.["code"], "usage");
  assert.match(String(run.lines[0]?.["message"]), /^Cannot receive/);
});

test("millrace: without connection options, it says which to give", async () => {
  const run = new CliRun(createHub(), ["chat"]);
  assert.is(await run.ended, 2);
  assert.match(run.err, /Cannot connect as a token, or a key and a secret, must be given\n {2}Give --token/);
});

test("millrace --url: an invalid address exits with 2", async () => {
  const run = start(createHub(), "alice", ["chat", "--url", "nonsense"]);
  assert.is(await run.ended, 2);
  assert.match(run.err, /must be a URL: it is "nonsense"/);
});

test("millrace: a missing file or unwritable folder is reported before the room is joined", () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "file");
    await writeFile(file, "x");
    for (
      const [argv, expected] of [
        [["send", join(folder, "missing")], /Cannot send the file as it must exist: path is ".*missing"/],
        [["receive", "--dir", file], /Cannot receive into the folder as its path must be a folder's/],
        [["receive", "--dir", join(file, "in")], /Cannot receive into the folder as its path must be a folder's/],
        [["receive", "--dir", "/proc/self"], /Cannot receive into the folder as it must be writable: /],
        [["receive", "--dir", "/proc/self/in/deep"], /Cannot receive into the folder as it must be writable: /],
      ] as const
    ) {
      const run = start(createHub(), "alice", argv);
      assert.is(await run.ended, 1);
      assert.match(run.err, expected);
      assert.is(run.rooms.joined, 0);
    }
  }));

test("millrace: as a process, it has a version and exit codes", async () => {
  for (
    const [argv, code, expected] of [
      [["--version"], 0, /^\d+\.\d+\.\d+\n$/],
      [["receive"], 2, /^Cannot connect as a token, or a key and a secret, must be given/],
    ] as const
  ) {
    const program = new CliProgram(argv);
    assert.is(await program.ended, code);
    assert.match(program.out + program.err, expected);
  }
});

test("millrace: the first Ctrl-C asks it to end, the second ends it; a copy from npm does not count", () => {
  const { exit } = process;
  const { now } = performance;
  const codes: unknown[] = [];
  let time = 1_000_000;
  process.exit = ((code: number) => void codes.push(code)) as typeof process.exit;
  performance.now = () => time;
  const { signal, interrupt, release } = handleSignals();
  try {
    interrupt();
    assert.ok(signal.aborted);
    assert.is(toFailure(signal.reason).exitCode, 130);
    time += 100;
    interrupt();
    assert.equal(codes, []);
    time += 1_000;
    interrupt();
    assert.equal(codes, [130]);
  } finally {
    release();
    performance.now = now;
    process.exit = exit;
  }
});

test("millrace: options override the environment, and a token overrides key and secret", () => {
  const env = { LIVEKIT_URL: "wss://env", LIVEKIT_API_KEY: "k", LIVEKIT_API_SECRET: "s" };
  const named = { room: "office", identity: "alice" };
  assert.equal(readCredentials(named, env), { url: "wss://env", ...named, access: { key: "k", secret: "s" } });
  assert.is(readCredentials({ ...named, url: "https://host" }, env).url, "wss://host");
  assert.is(readCredentials(named, { ...env, LIVEKIT_URL: "" }).url, "ws://localhost:7880");

  const claims = { sub: "alice", video: { room: "office" } };
  const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const withToken = { ...env, LIVEKIT_TOKEN: token };
  assert.equal(readCredentials({}, withToken), { url: "wss://env", ...named, access: { token } });
  assert.equal(readCredentials({ token }, env).access, { token });
  assert.equal(readCredentials({ ...named, apiKey: "a", apiSecret: "b" }, withToken).access, { key: "a", secret: "b" });
  assert.throws(
    () => readCredentials({ room: "another" }, withToken),
    /the token must be for the room "another": it is for "office"/,
  );
  assert.throws(() => readCredentials({ token: "rubbish" }, env), /must be a LiveKit token/);
  assert.throws(() => readCredentials({ room: "office" }, env), /an identity must be given/);
  assert.throws(() => readCredentials({ identity: "alice" }, env), /a room must be given/);
  assert.throws(() => readCredentials({ url: "ftp://host" }, env), /must be that of a web socket/);
});

test("millrace: text of other participants can neither move the cursor nor imitate another's line", () => {
  assert.is(printableLine("a\x1b[2Jb\nc\u202e"), "a\uFFFD[2Jb c\uFFFD");
  assert.is(printableText("hi\r\ncarol: me\x07"), "hi\n  carol: me\uFFFD");
  assert.equal([0, 999, 1000, 999_950, 1.26e9].map(bytesText), ["0 B", "999 B", "1.0 kB", "1.0 MB", "1.3 GB"]);
});

test.run();
