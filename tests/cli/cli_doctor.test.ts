// millrace doctor, over a hub.
import * as assert from "uvu/assert";
import { answerDoctor, type Examination } from "../../diagnostics/mod.ts";
import { createHub, createRuntime } from "../../mod.ts";
import { start } from "../support/cli/cli_runs.ts";
import { suite } from "../support/harness.ts";

const test = suite("millrace doctor");

const QUICK = ["--pings", "5", "--seconds", "0.1"];

test("millrace doctor: one page about the line to another millrace command", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["chat"]);
  await bob.printed("err", "In room");
  const doctor = start(hub, "alice", ["doctor", "--to", "bob", ...QUICK]);
  assert.is(await doctor.ended, 0, doctor.err);
  assert.match(doctor.err, /^Examining the line to "bob" in room "office", for some 1 s\n$/);
  const lines = doctor.out.trimEnd().split("\n");
  assert.is(lines[0], 'Line to "bob"');
  const expected = [
    /^ {2}latency +p50 [\d.]+ ms, p95 [\d.]+ ms, least [\d.]+ ms$/,
    /^ {2}loss +0 of 5 \(0\.0 %\)$/,
    /^ {2}throughput there +[\d.]+ \w?B\/s$/,
    /^ {2}throughput back +[\d.]+ \w?B\/s$/,
    /^ {2}clock there +(as here|[\d.]+ ms (ahead|behind)), to [\d.]+ ms$/,
    /^ {2}here +millrace \d+\.\d+\.\d+, \w+ [\d.]+, \w+ \w+$/,
    /^ {2}there +millrace \d+\.\d+\.\d+, \w+ [\d.]+, \w+ \w+$/,
  ];
  assert.is(lines.length, 1 + expected.length);
  expected.forEach((line, at) => assert.match(lines[at + 1] ?? "", line));
  bob.stdin.end();
  assert.is(await bob.ended, 0, bob.err);
});

test("millrace doctor: a program that calls answerDoctor answers; --json is one event, --seconds 0 leaves throughput out", async () => {
  const hub = createHub();
  const bob = await createRuntime({ transport: hub.join("bob") });
  answerDoctor(bob);
  const doctor = start(hub, "alice", ["doctor", "--to", "bob", "--pings", "3", "--seconds", "0", "--json"]);
  assert.is(await doctor.ended, 0, doctor.err);
  assert.is(doctor.lines.length, 1);
  const { to, examination } = doctor.first("examined") as unknown as { to: string; examination: Examination };
  assert.equal([to, examination.pings, examination.lost, "throughputThere" in examination], ["bob", 3, 0, false]);
  await bob.close();
});

test("millrace doctor: an absent participant, and one that does not answer, are errors in one line", async () => {
  const hub = createHub();
  const absent = start(hub, "alice", ["doctor", "--to", "bob", "--wait", "0.1"]);
  assert.is(await absent.ended, 1);
  assert.match(absent.err, /^Cannot examine the line as these are not in the room: bob: waited 0\.1 s\n/);
  const bob = await createRuntime({ transport: hub.join("bob"), onError: () => {} });
  const unanswered = start(hub, "alice", ["doctor", "--to", "bob", "--quiet"]);
  assert.is(await unanswered.ended, 1);
  assert.match(unanswered.err, /^Cannot examine the line as "bob" does not answer: it must call answerDoctor\n/);
  await bob.close();
});

test("millrace doctor: Ctrl-C ends it", async () => {
  const hub = createHub();
  const bob = await createRuntime({ transport: hub.join("bob") });
  answerDoctor(bob);
  const doctor = start(hub, "alice", ["doctor", "--to", "bob", "--pings", "1000"]);
  await doctor.printed("err", "Examining");
  doctor.interrupt();
  assert.is(await doctor.ended, 130);
  assert.is(doctor.out, "");
  assert.equal(doctor.rooms, { joined: 1, left: 1 });
  await bob.close();
});

test.run();
