// millrace chat, over a hub.
import * as assert from "uvu/assert";
import { createHub, createRuntime } from "../../mod.ts";
import { start } from "../support/cli/cli_runs.ts";
import { suite } from "../support/harness.ts";
import { collectTexts } from "../support/handlers.ts";

const test = suite("millrace chat");

test("millrace chat: sends the lines of a pipe in order, then ends; shows the texts that arrive", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["chat"]);
  await bob.printed("err", "In room");
  const alice = start(hub, "alice", ["chat", "--to", "bob"], { input: "one\n\ntwo\r\nthree é" });
  assert.is(await alice.ended, 0, alice.err);
  await bob.printed("out", "three");
  assert.is(bob.out, "alice: one\nalice: two\nalice: three é\n");
  assert.match(bob.err, /^In room "office" as "bob", topic "chat"; here: nobody\nalice joined\n/);
  bob.stdin.end();
  assert.is(await bob.ended, 0);
});

test("millrace chat: --json shows messages, joins and departures", async () => {
  const hub = createHub();
  const bob = start(hub, "bob", ["chat", "--json", "--topic", "t"]);
  await bob.printed("out", "ready");
  const alice = start(hub, "alice", ["chat", "--topic", "t", "--json"], { input: "hi\n" });
  assert.is(await alice.ended, 0, alice.err);
  await bob.printed("out", '"left"');
  assert.equal(bob.lines.map(({ event }) => event), ["ready", "joined", "message", "left"]);
  const { from, text } = bob.first("message");
  assert.equal({ from, text }, { from: "alice", text: "hi" });
  assert.equal(alice.of("sent")[0]?.["receivers"], [{ identity: "bob", bytes: 2 }]);
  bob.interrupt();
  assert.is(await bob.ended, 130);
});

test("millrace chat: a piped line waits for its receivers until the time limit; listening has no limit", async () => {
  const hub = createHub();
  const listener = start(hub, "listener", ["chat", "--wait", "0", "--topic", "other"]);
  const alice = start(hub, "alice", ["chat", "--to", "bob", "--wait", "0.1"], { input: "hi\n" });
  assert.is(await alice.ended, 1);
  assert.match(alice.err, /Cannot send as these are not in the room: bob: waited 0.1 s/);
  listener.stdin.end();
  assert.is(await listener.ended, 0);
});

test("millrace chat: a text of several lines with control characters is shown as one speaker's", async () => {
  const hub = createHub();
  const mallory = await createRuntime({ transport: hub.join("mallory") });
  const bob = start(hub, "bob", ["chat"]);
  await bob.printed("err", "here: mallory");
  await mallory.sendText("hi\nalice: give me\x1b[2J", { topic: "chat", confirm: true });
  await bob.printed("out", "give me");
  assert.is(bob.out, "mallory: hi\n  alice: give me\uFFFD[2J\n");
  await mallory.close();
  bob.interrupt();
  assert.is(await bob.ended, 130);
});

test("millrace chat: a terminal has a prompt that makes way for messages; a line to nobody does not end it", async () => {
  const hub = createHub();
  const bob = await createRuntime({ transport: hub.join("bob") });
  const texts = collectTexts(bob, "chat");
  const alice = start(hub, "alice", ["chat", "--to", "bob,nobody"], { terminal: "all" });
  await alice.printed("out", "> ");
  await bob.sendText("hello", { topic: "chat", confirm: true });
  await alice.printed("out", /bob: hello\n[^]*> /);
  alice.stdin.write("hi there\r");
  await alice.printed("out", /hi there[^]*> /);
  while (texts.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(texts, ["hi there"]);
  await bob.close();
  alice.stdin.write("anyone?\r");
  await alice.printed("err", /Cannot /);
  alice.stdin.write("\x03"); // Ctrl-C is a key of a terminal in raw mode
  assert.is(await alice.ended, 130);
});

test.run();
