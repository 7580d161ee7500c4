// millrace receive while a sender stalls.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { TransferSlots } from "../../cli/commands/transfer_slots.ts";
import { createHub } from "../../mod.ts";
import { start } from "../support/cli/cli_runs.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("millrace receive");

const SOON = { stallTime: 100 };

test("millrace receive --once: a stalled sender does not block the next sender's file", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const bob = start(hub, "bob", ["receive", "--dir", folder, "--once", "--json"], SOON);
    const slow = start(hub, "slow", ["send", "-", "--name", "slow", "--to", "bob"]);
    slow.stdin.write(pattern(100_000));
    await bob.printed("out", '"bytes":100000'); // nothing more comes
    const alice = start(hub, "alice", ["send", "-", "--name", "quick", "--to", "bob"], { input: "quick" });
    assert.equal(await Promise.all([alice.ended, bob.ended, slow.ended]), [0, 0, 1], alice.err + bob.err);
    assert.equal(await readdir(folder), ["quick"]);
    assert.match(slow.err, /^Cannot send "slow" as "bob" cancelled it\n$/);
    assert.is(bob.of("error").length, 0, "it is no failure");
  }));

test("millrace receive --once: a sender that stalls and resumes in time is the one received", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const bob = start(hub, "bob", ["receive", "--dir", folder, "--once", "--json"], SOON);
    const slow = start(hub, "slow", ["send", "-", "--name", "slow", "--to", "bob"]);
    slow.stdin.write("be");
    await bob.printed("out", '"bytes":2,');
    const alice = start(hub, "alice", ["send", "-", "--name", "never", "--to", "bob"]);
    alice.stdin.write(pattern(100_000));
    await bob.printed("out", '"bytes":100000'); // so it has got the slot of the one who stalled
    slow.stdin.end("ginning");
    assert.equal(await Promise.all([slow.ended, bob.ended, alice.ended]), [0, 0, 1], slow.err + bob.err);
    assert.equal(await readdir(folder), ["slow"]);
    assert.is(await readFile(join(folder, "slow"), "utf8"), "beginning");
  }));

test("millrace receive --stdout: a sender without bytes takes no turn; one that stalls midway ends", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["receive", "--stdout", "--count", "2"], SOON);
  const silent = start(hub, "silent", ["send", "-", "--to", "bob"]);
  await silent.joined;
  const slow = start(hub, "slow", ["send", "-", "--to", "bob"]);
  slow.stdin.write("begun,");
  await bob.printed("out", "begun,");
  const alice = start(hub, "alice", ["send", "-", "--to", "bob"], { input: "whole" });
  assert.equal(await Promise.all([alice.ended, slow.ended, bob.ended, silent.ended]), [0, 1, 1, 1], alice.err + bob.err);
  assert.is(bob.out, "begun,whole");
  assert.match(bob.err, /Cannot receive "stdin" of "slow": it stood still while another one waited/);
});

test("millrace receive: a stream beyond the requested count waits briefly for a slot, then is reported", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    hub.link("alice", "bob", { kind: "reliable", rate: 1_000_000 });
    const bob = start(hub, "bob", ["receive", "--dir", folder, "--once", "--json"], { stallTime: 300 });
    const alice = start(hub, "alice", ["send", "-", "--name", "large", "--to", "bob"], { input: pattern(1_500_000) });
    await bob.printed("out", /"bytes":[1-9]/);
    const late = start(hub, "late", ["send", "-", "--name", "late", "--to", "bob"], { input: "late" });
    assert.is(await late.ended, 1);
    assert.match(late.err, /^Cannot send "late" as "bob" cancelled it\n$/);
    assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0]);
    assert.equal(await readdir(folder), ["large"]);
  }));

test("millrace receive: without --dir, files are saved in the current folder", () =>
  inTemporaryFolder(async (folder) => {
    const before = process.cwd();
    await mkdir(join(folder, "here"));
    process.chdir(join(folder, "here"));
    try {
      const hub = createHub();
      const bob = start(hub, "bob", ["receive", "--once"]);
      const alice = start(hub, "alice", ["send", "-", "--name", "x", "--to", "bob"], { input: "x" });
      assert.equal(await Promise.all([alice.ended, bob.ended]), [0, 0], alice.err + bob.err);
      assert.equal(await readdir(join(folder, "here")), ["x"]);
    } finally {
      process.chdir(before);
    }
  }));

test("FileReceiver: grants a slot to the longest waiting, never to more than requested, and none after the end", async () => {
  const slots = new TransferSlots({ count: 2, exclusive: false, stallTime: 60_000 });
  const order: string[] = [];
  const taken = ["a", "b", "c", "d"].map(async (name) => {
    const slot = await slots.acquire(() => {});
    order.push(`${name} ${slot === undefined ? "none" : "slot"}`);
    return slot;
  });
  const [a, b] = await Promise.all(taken.slice(0, 2));
  assert.equal(order, ["a slot", "b slot"]);
  a?.release("failed");
  a?.release("done"); // counts once
  b?.release("done");
  await slots.finished;
  assert.equal(await Promise.all(taken.slice(2)), [undefined, undefined]);
  assert.is(await slots.acquire(() => {}), undefined);
});

test.run();
