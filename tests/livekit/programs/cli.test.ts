// The command in rooms of a real server: processes of their own on the runtime that runs this.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Examination } from "../../../diagnostics/mod.ts";
import type { RuntimeStats } from "../../../mod.ts";
import { CliProgram, endPrograms } from "../../support/cli/cli_program.ts";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { connect, disposeAll, inRooms } from "../../support/livekit/rooms.ts";
import { startServer } from "../../../bench/support/server.ts";

const test = suite("millrace in a room");
const server = await startServer();

let tests = 0;

/** Time-out for processes that start and connect on a busy machine. */
const LIMIT = { seconds: 60 };

/** Bytes that take some seconds, long enough to be interrupted. */
const LARGE = 20_000_000;

test("millrace send: a file goes from one process to another", () =>
  inFolder(async (folder) => {
    const data = pattern(1_000_000);
    await writeFile(join(folder, "report.bin"), data);
    const bob = run("bob", ["receive", "--dir", "in", "--once"], folder);
    const alice = run("alice", ["send", "report.bin", "--to", "bob", "--json"], folder);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    assert.is(Buffer.compare(data, await readFile(join(folder, "in", "report.bin"))), 0);
    assert.match(bob.out, /^.*[\\/]in[\\/]report\.bin\n$/);
    assert.is(alice.err, "");
    const events = alice.out.trim().split("\n").map((line) => JSON.parse(line) as { event: string; receivers?: unknown });
    assert.equal(events.at(-1)?.receivers, [{ identity: "bob", bytes: 1_000_000 }]);
  }), LIMIT);

test("millrace send: stdin of one process is stdout of another", () =>
  inFolder(async (folder) => {
    const data = pattern(300_000);
    const bob = run("bob", ["receive", "--stdout", "--once"], folder);
    const alice = run("alice", ["send", "-", "--to", "bob"], folder);
    alice.child.stdin.end(data);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    assert.is(Buffer.compare(data, Buffer.from(bob.out, "latin1")), 0);
  }), LIMIT);

for (const [who, signal, codes] of [["alice", "SIGINT", [130, 1]], ["bob", "SIGTERM", [1, 143]]] as const) {
  test(
    `millrace: ${signal} to ${who === "alice" ? "the sender" : "the receiver"} midway leaves no partial file, and both end soon`,
    () =>
      inFolder(async (folder) => {
        await writeFile(join(folder, "large"), pattern(LARGE));
        const bob = run("bob", ["receive", "--dir", "in", "--once", "--json"], folder);
        const alice = run("alice", ["send", "large", "--to", "bob", "--json"], folder);
        await bob.printed(/"bytes":[1-9]/);
        assert.match((await readdir(join(folder, "in")))[0] ?? "", /\.part$/);
        const started = performance.now();
        (who === "alice" ? alice : bob).signal(signal);
        assert.equal(await Promise.all([alice.ended, bob.ended]), codes, alice.err + bob.err);
        const seconds = (performance.now() - started) / 1000;
        assert.ok(seconds < 15, `it took ${seconds} s`); // a busy machine; of one who left without a word it would be 30
        assert.match((who === "alice" ? alice : bob).err, /^Interrupted/);
        assert.equal(await readdir(folder), ["large"]);
      }),
    { seconds: 40 },
  );
}

test("millrace chat: lines of a pipe reach the listener", () =>
  inFolder(async (folder) => {
    const bob = run("bob", ["chat"], folder);
    await bob.printed("In room");
    const alice = run("alice", ["chat", "--to", "bob"], folder);
    alice.child.stdin.end("one\ntwo\n");
    assert.is(await alice.ended, 0, alice.err);
    await bob.printed("alice: two");
    assert.is(bob.out, "alice: one\nalice: two\n");
    bob.signal("SIGINT");
    assert.is(await bob.ended, 130, bob.err);
  }), LIMIT);

test("millrace doctor: examines the line to a listener; millrace top shows that", () =>
  inFolder(async (folder) => {
    const bob = run("bob", ["receive"], folder);
    await bob.printed("Waiting");
    const alice = run("alice", ["doctor", "--to", "bob", "--pings", "20", "--seconds", "1", "--json"], folder);
    assert.is(await alice.ended, 0, alice.err);
    const { examination } = JSON.parse(alice.out) as { examination: Examination };
    const { latency, lost, clockOffset, throughputThere = 0, throughputHere = 0 } = examination;
    assert.is(lost, 0);
    assert.ok(latency.least > 0 && latency.p95 < 3_000 && Math.abs(clockOffset) < 1_000, alice.out);
    assert.ok(throughputThere > 50_000 && throughputHere > 50_000, alice.out);
    const carol = run("carol", ["top", "--json"], folder);
    assert.is(await carol.ended, 0, carol.err);
    const { stats: { peers } } = JSON.parse(carol.out) as { stats: RuntimeStats };
    assert.equal(peers.find(({ identity }) => identity === "bob")?.kind, "millrace");
    bob.signal("SIGINT");
    assert.is(await bob.ended, 130, bob.err);
  }), LIMIT);

test(
  "millrace send: a participant without Millrace gets the file, and the sender is told that no receipt comes",
  () =>
    inRooms(() =>
      inFolder(async (folder) => {
        const bob = await connect(server, "bob", room());
        const received = new Promise<Uint8Array[]>((resolve, reject) => {
          bob.registerByteStreamHandler("files", (reader) => void reader.readAll().then(resolve, reject));
        });
        const data = pattern(40_000);
        await writeFile(join(folder, "small"), data);
        const alice = run("alice", ["send", "small", "--to", "bob"], folder);
        assert.is(await alice.ended, 0, alice.err);
        assert.is(alice.out, "small → bob: sent, not confirmed (no Millrace runtime)\n".replace("→", "â\x86\x92"));
        assert.is(Buffer.compare(data, Buffer.concat(await received)), 0);
      })
    ),
  LIMIT,
);

test("millrace receive --stdout: a closed stdout ends the command, and the sender is told", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "large"), pattern(LARGE));
    const bob = run("bob", ["receive", "--stdout", "--once"], folder);
    const alice = run("alice", ["send", "large", "--to", "bob"], folder);
    await bob.printed(/./);
    bob.child.stdout.destroy();
    assert.equal(await Promise.all([alice.ended, bob.ended]), [1, 1], alice.err + bob.err);
    assert.match(bob.err, /Cannot write to stdout as its reader has closed it\n$/);
  }), LIMIT);

test("millrace: a second participant of the same name ends the first", () =>
  inFolder(async (folder) => {
    const first = run("bob", ["receive", "--dir", "in"], folder);
    await first.printed("Waiting");
    const second = run("bob", ["receive", "--dir", "in"], folder);
    assert.is(await first.ended, 1);
    assert.match(first.err, /Cannot go on as the connection to the room has ended/);
    await second.printed("Waiting");
    second.signal("SIGINT");
    assert.is(await second.ended, 130);
  }), LIMIT);

test("millrace: a server that refuses or is absent ends the command with 3", () =>
  inFolder(async (folder) => {
    for (
      const [environment, expected] of [
        [{ LIVEKIT_API_SECRET: "wrong-wrong-wrong-wrong-wrong-wrong" }, /Cannot connect as the server refuses the token/],
        [{ LIVEKIT_TOKEN: "a.b.c", LIVEKIT_URL: "ws://127.0.0.1:1" }, /token must be a LiveKit token/],
        [{ LIVEKIT_URL: "ws://127.0.0.1:1" }, /Cannot connect to the server: .*refused.*: server is "ws:\/\/127.0.0.1:1"/],
      ] as const
    ) {
      const program = run("bob", ["receive", "--dir", "in"], folder, environment);
      assert.is(await program.ended, "LIVEKIT_TOKEN" in environment ? 2 : 3);
      assert.match(program.err, expected);
    }
    const withToken = run("bob", ["receive", "--dir", "in"], folder, { LIVEKIT_TOKEN: await server.token("carol", "room") }, []);
    await withToken.printed('as "carol"');
    withToken.signal("SIGINT");
    assert.is(await withToken.ended, 130);
  }), LIMIT);

test.after(disposeAll);
test.after(() => server.kill());
test.run();

/** The command in a folder, in this test's room. */
function run(
  identity: string,
  argv: readonly string[],
  cwd: string,
  environment: Record<string, string> = {},
  as: readonly string[] = ["--identity", identity, "--room", room()],
): CliProgram {
  const env = { LIVEKIT_URL: server.url, LIVEKIT_API_KEY: server.key, LIVEKIT_API_SECRET: server.secret, ...environment };
  return new CliProgram([...argv, ...as], { env, cwd });
}

function room(): string {
  return `room-${tests}`;
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  tests++;
  await inTemporaryFolder(async (folder) => {
    try {
      await body(folder);
    } finally {
      await endPrograms();
    }
  });
}
