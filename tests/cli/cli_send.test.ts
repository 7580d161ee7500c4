// millrace send and receive, over a hub.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createHub } from "../../mod.ts";
import { start } from "../support/cli/cli_runs.ts";
import { pattern, same } from "../support/bytes.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("millrace send");

test("millrace send: a file reaches the receiver, and both commands report it", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const data = pattern(700_000);
    const file = join(folder, "report.pdf");
    await writeFile(file, data);
    const bob = start(hub, "bob", ["receive", "--dir", join(folder, "in"), "--once"]);
    const alice = start(hub, "alice", ["send", file, "--to", "bob"]);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    assert.is(alice.out, "report.pdf → bob: received 700.0 kB, checked\n");
    assert.is(alice.err, "");
    assert.is(bob.out, `${join(folder, "in", "report.pdf")}\n`);
    assert.is(bob.err, 'Waiting for files in room "office" as "bob", topic "files"; Ctrl-C ends it\n');
    assert.ok(same(data, await readFile(join(folder, "in", "report.pdf"))));
    assert.equal([alice.rooms, bob.rooms], [{ joined: 1, left: 1 }, { joined: 1, left: 1 }]);
  }));

test("millrace send: several files to several receivers, with attributes; --json reports all of it", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const files = await Promise.all([0, 1, 100_000].map(async (size) => {
      const path = join(folder, `${size}.bin`);
      await writeFile(path, pattern(size));
      return path;
    }));
    const receivers = ["bob", "carol"].map((name) =>
      start(hub, name, ["receive", "--dir", join(folder, name), "--count", "3", "--topic", "t", "--json"])
    );
    const argv = ["send", ...files, "--to", "bob", "--to", "carol", "--topic", "t", "--mime", "x/y", "--json"];
    const alice = start(hub, "alice", [...argv, "--attribute", "a=1=2", "--attribute", "b="]);
    assert.equal(await Promise.all([alice.ended, ...receivers.map(({ ended }) => ended)]), [0, 0, 0], alice.err);
    for (const [index, name] of ["bob", "carol"].entries()) {
      for (const size of [0, 1, 100_000]) assert.ok(same(pattern(size), await readFile(join(folder, name, `${size}.bin`))));
      const received = receivers[index]?.of("received") ?? [];
      assert.is(received.length, 3);
      for (const { from, mimeType, attributes } of received) {
        assert.equal({ from, mimeType, attributes }, { from: "alice", mimeType: "x/y", attributes: { a: "1=2", b: "" } });
      }
      assert.is(receivers[index]?.of("ready").length, 1);
      assert.ok((receivers[index]?.of("progress").length ?? 0) > 0);
    }
    const sent = alice.of("sent").find(({ name }) => name === "100000.bin");
    assert.equal(sent?.["receivers"], [{ identity: "bob", bytes: 100_000 }, { identity: "carol", bytes: 100_000 }]);
    assert.is(sent?.["file"], files[2]);
    assert.ok(alice.of("progress").some(({ percent, direction }) => percent === 100 && direction === "send"));
  }));

test("millrace send: stdin to stdout, with a size unknown in advance", () =>
  inTemporaryFolder(async () => {
    const hub = createHub();
    const data = pattern(300_001);
    const bob = start(hub, "bob", ["receive", "--stdout", "--once"]);
    const alice = start(hub, "alice", ["send", "-", "--name", "photos.tar", "--to", "bob", "--json"], { input: data });
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
    assert.ok(same(data, bob.bytes));
    const { name, bytes } = alice.first("sent");
    assert.equal({ name, bytes }, { name: "photos.tar", bytes: 300_001 });
  }));

test("millrace receive --stdout: two streams are not mixed", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["receive", "--dir", "-", "--count", "2"]);
  const senders = [1, 2].map((seed) =>
    start(hub, `sender-${seed}`, ["send", "-", "--to", "bob"], { input: pattern(200_000, seed) })
  );
  assert.equal(await Promise.all([...senders, bob].map(({ ended }) => ended)), [0, 0, 0]);
  const [first, second] = [1, 2].map((seed) => Buffer.from(pattern(200_000, seed)));
  const either = [[first, second], [second, first]].map((order) => Buffer.concat(order as Buffer[]));
  assert.ok(either.some((whole) => same(whole, bob.bytes)));
});

test("millrace receive --from: takes files of the named senders only", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const bob = start(hub, "bob", ["receive", "--dir", folder, "--once", "--from", "alice"]);
    const mallory = start(hub, "mallory", ["send", "-", "--name", "x", "--to", "bob"], { input: "bad" });
    assert.is(await mallory.ended, 1);
    assert.match(mallory.err, /^Cannot send "x" as .*\n$/);
    const alice = start(hub, "alice", ["send", "-", "--name", "x", "--to", "bob"], { input: "good" });
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0]);
    assert.equal(await readdir(folder), ["x"]);
    assert.is(await readFile(join(folder, "x"), "utf8"), "good");
  }));

test("millrace send --to: waits for absent receivers until the time limit", async () => {
  const hub = createHub();
  const late = start(hub, "alice", ["send", "-", "--to", "bob,carol", "--wait", "0.2", "--json"], { input: "x" });
  assert.is(await late.ended, 1);
  assert.match(late.err, /Cannot send as these are not in the room: bob, carol: waited 0.2 s\n {2}Wait longer/);
  assert.is(late.of("error")[0]?.["code"], "absent");
  assert.equal(late.rooms, { joined: 1, left: 1 });

  const nobody = start(hub, "alice", ["send", "-", "--wait", "0.2"], { input: "x" });
  assert.is(await nobody.ended, 1);
  assert.match(nobody.err, /Cannot send as nobody is in the room/);

  const alice = start(hub, "alice", ["send", "-"], { input: "x" });
  const bob = start(hub, "bob", ["receive", "--stdout", "--once"]);
  assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0]);
  assert.is(bob.out, "x");
});

test("millrace send: waits for a number of receivers, whoever they are", async () => {
  const hub = createHub();
  const argv = ["send", "-", "--receivers", "2"];
  const bob = start(hub, "bob", ["receive", "--stdout", "--once"]);
  const early = start(hub, "early", [...argv, "--wait", "0.2"], { input: "x" });
  await early.joined; // it counts for the next one, and itself sees Bob only
  assert.is(await early.ended, 1);
  assert.match(early.err, /Cannot send as only 1 of 2 receivers are in the room: waited 0.2 s\n {2}Wait longer/);

  const alice = start(hub, "alice", argv, { input: "x" });
  await alice.joined;
  const carol = start(hub, "carol", ["receive", "--stdout", "--once"]);
  assert.equal(await Promise.all([alice, bob, carol].map(({ ended }) => ended)), [0, 0, 0], alice.err);
  assert.equal([bob.out, carol.out], ["x", "x"]);
  assert.match(alice.out, /stdin → bob: received 1 B, checked\nstdin → carol: received 1 B, checked/);
});

test("millrace send: without a terminal, prints a progress line at intervals, with names and remaining time", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    hub.link("alice", "bob", { kind: "reliable", rate: 1_000_000 });
    const file = join(folder, "large.bin");
    await writeFile(file, pattern(600_000));
    const fast = { progressInterval: 50 };
    const bob = start(hub, "bob", ["receive", "--dir", join(folder, "in"), "--once"], fast);
    const alice = start(hub, "alice", ["send", file, "--to", "bob"], fast);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0]);
    assert.match(alice.err, /^large\.bin → bob: \d+ %, [\d.]+ kB of 600\.0 kB, [\d.]+ [kM]B\/s, \d s left$/m);
    assert.match(bob.err, /^large\.bin ← alice: \d+ %, [\d.]+ kB of 600\.0 kB, [\d.]+ [kM]B\/s, \d s left$/m);
    assert.is(alice.out, "large.bin → bob: received 600.0 kB, checked\n");

    const quiet = start(hub, "carol", ["receive", "--stdout", "--once", "--quiet"], fast);
    const again = start(hub, "alice", ["send", file, "--to", "carol", "--json"], fast);
    assert.equal(await Promise.all([again.ended, quiet.ended]), [0, 0]);
    assert.equal([again.err, quiet.err], ["", "-\n"], "results go to stderr where stdout has the bytes");
  }));

test("millrace send: exits with 1 and a hint if the receiver listens to another topic", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["receive", "--stdout", "--once", "--topic", "other"]);
  const alice = start(hub, "alice", ["send", "-", "--to", "bob"], { input: "x" });
  assert.is(await alice.ended, 1);
  assert.match(alice.err, /Cannot send "stdin" as .*\n {2}Nobody there takes streams of this topic/);
  bob.interrupt("SIGTERM");
  assert.is(await bob.ended, 143);
});

test("millrace receive: an unsafe name stays in the folder, and a name in use gets a number", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const inbox = join(folder, "in");
    await mkdir(inbox);
    await writeFile(join(inbox, "x"), "mine");
    const bob = start(hub, "bob", ["receive", "--dir", inbox, "--count", "2"]);
    for (const name of ["../../x", "x"]) {
      const alice = start(hub, "alice", ["send", "-", "--name", name, "--to", "bob"], { input: name });
      assert.is(await alice.ended, 0, alice.err);
    }
    assert.is(await bob.ended, 0);
    assert.equal((await readdir(inbox)).sort(), ["x", "x (2)", "x (3)"]);
    assert.is(await readFile(join(inbox, "x"), "utf8"), "mine");
    assert.equal(await readdir(folder), ["in"]);
  }));

test("millrace send: Ctrl-C midway exits with 130; the receiver removes its part file and counts a failure", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    hub.link("alice", "bob", { kind: "reliable", rate: 1_000_000 });
    const file = join(folder, "large");
    await writeFile(file, pattern(5_000_000));
    const inbox = join(folder, "in");
    const bob = start(hub, "bob", ["receive", "--dir", inbox, "--once", "--json"]);
    const alice = start(hub, "alice", ["send", file, "--to", "bob"]);
    await bob.printed("out", /"bytes":[1-9]/);
    assert.match((await readdir(inbox))[0] ?? "", /\.part$/);
    alice.interrupt();
    assert.equal(await Promise.all([alice.ended, bob.ended]), [130, 1]);
    assert.is(alice.err, "Interrupted: open transfers were aborted, no partial file is left\n");
    assert.is(bob.first("error")["code"], "aborted");
    assert.match(bob.err, /^Cannot receive "large" of "alice" as /);
    assert.equal(await readdir(folder), ["large"], "the folder was made for the file");
    assert.equal([alice.rooms.left, bob.rooms.left], [1, 1]);
  }));

test("millrace receive: Ctrl-C leaves no file, and the sender is told", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    hub.link("alice", "bob", { kind: "reliable", rate: 1_000_000 });
    const file = join(folder, "large");
    await writeFile(file, pattern(5_000_000));
    const bob = start(hub, "bob", ["receive", "--dir", folder, "--once", "--json"]);
    const alice = start(hub, "alice", ["send", file, "--to", "bob"]);
    await bob.printed("out", /"bytes":[1-9]/);
    bob.interrupt();
    assert.equal(await Promise.all([alice.ended, bob.ended]), [1, 130]);
    assert.match(alice.err, /^Cannot send "large" as "bob" cancelled it\n$/);
    assert.equal(await readdir(folder), ["large"]);
  }));

test("millrace send, receive: Ctrl-C while waiting ends the command at once, whatever it waits for", async () => {
  const hub = createHub();
  for (const argv of [["send", "-", "--to", "nobody"], ["receive", "--stdout"], ["chat"]]) {
    const run = start(hub, "alice", argv);
    await run.joined;
    run.interrupt();
    assert.is(await run.ended, 130, argv.join(" "));
  }
});

test("millrace send: Ctrl-C works while stdin is silent", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["receive", "--stdout", "--once"]);
  const alice = start(hub, "alice", ["send", "-", "--to", "bob"]);
  alice.stdin.write("beginning");
  await bob.printed("out", "beginning");
  alice.interrupt();
  assert.equal(await Promise.all([alice.ended, bob.ended]), [130, 1]);
  assert.ok(alice.stdin.destroyed);
});

test("millrace send, receive: exit with 1 when the connection ends", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["receive", "--stdout"]);
  await bob.printed("err", "Waiting");
  hub.vanish("bob");
  assert.is(await bob.ended, 1);
  assert.match(bob.err, /Cannot go on as the connection to the room has ended\n {2}The server may have stopped/);
});

test("millrace receive --stdout: a closed stdout cancels the stream, with one line of explanation", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["receive", "--stdout", "--once"]);
  const alice = start(hub, "alice", ["send", "-", "--to", "bob"]);
  alice.stdin.write(pattern(100_000));
  await bob.printed("out", /./);
  bob.stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  alice.stdin.end(pattern(3_000_000));
  assert.equal(await Promise.all([alice.ended, bob.ended]), [1, 1]);
  assert.match(bob.err, /Cannot write to stdout as its reader has closed it\n$/);
});

test("millrace send: a terminal shows a bar for each file in transfer, removed at the end", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    hub.link("alice", "bob", { kind: "reliable", rate: 1_000_000 });
    const files = ["one.bin", "two.bin"].map((name) => join(folder, name));
    for (const file of files) await writeFile(file, pattern(300_000));
    const bob = start(hub, "bob", ["receive", "--dir", join(folder, "in"), "--count", "2"]);
    const alice = start(hub, "alice", ["send", ...files, "--to", "bob"], { terminal: "stderr" });
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0]);
    assert.match(alice.err, /one\.bin → bob +█/);
    assert.match(alice.err, /two\.bin → bob +█/);
    assert.match(alice.err, / % {2}[\d.]+ kB of 300\.0 kB, [\d.]+ [kM]B\/s, \d+ s left/);
    assert.ok(!bob.err.includes("█"));
    assert.is(alice.out.split("\n").length, 3);

    const quiet = start(hub, "quiet", ["send", ...files, "--wait", "0", "--quiet"], { terminal: "stderr" });
    assert.is(await quiet.ended, 1);
    assert.match(quiet.err, /^Cannot send as nobody/);
  }));

test.run();
