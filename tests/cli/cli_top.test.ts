// millrace top, of a room and of a program's socket.
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { statsLines } from "../../cli/output/stats_table.ts";
import { serveStats } from "../../diagnostics/mod.ts";
import { createHub, createRuntime, type Runtime, type RuntimeStats } from "../../mod.ts";
import { CliRun, start } from "../support/cli/cli_runs.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("millrace top");

test("millrace top --socket: shows a program's stats once where stdout is no terminal, and needs no room", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "s.sock");
    const hub = createHub();
    const agent = await createRuntime({ transport: hub.join("agent\x1b[2J") });
    const bob = await createRuntime({ transport: hub.join("bob") });
    const writer = await agent.streamText({ topic: "answers", destinationIdentities: ["bob"] });
    const server = await serveStats(agent, path);
    const top = new CliRun(hub, ["top", "--socket", path]);
    assert.is(await top.ended, 0, top.err);
    assert.match(top.out, /^"agent\uFFFD\[2J" open, for \d+ s; sends 0 B\/s, receives 0 B\/s\n/);
    assert.match(top.out, /^bob +millrace +– /m);
    assert.match(top.out, /^→ text +answers +bob +open +data +0 B +0 B\/s/m);
    assert.is(top.rooms.joined, 0);

    const json = new CliRun(hub, ["top", "--json", "--socket", path]);
    assert.is(await json.ended, 0, json.err);
    const stats = json.first("stats")["stats"] as RuntimeStats;
    assert.equal([json.lines.length, stats.open[0]?.topic], [1, "answers"]);
    await writer.abort();
    await server.close();
    await agent.close();
    await bob.close();
  }));

test("millrace top: a terminal is drawn again until Ctrl-C, which restores it and is the normal end", () =>
  inTemporaryFolder(async (folder) => {
    const { agent, server, top } = await shownAgent(folder);
    const writer = await agent.streamText({ topic: "later" });
    await top.printed("out", "later");
    top.interrupt();
    assert.is(await top.ended, 0, top.err);
    assert.ok(top.out.startsWith("\x1b[?1049h\x1b[?25l\x1b[H"));
    assert.ok(top.out.endsWith("\x1b[?25h\x1b[?1049l"));
    assert.is(top.err, "");
    await writer.abort();
    await server.close();
    await agent.close();
  }));

test("millrace top: a program that ends while it is shown is an error in one line", () =>
  inTemporaryFolder(async (folder) => {
    const { agent, server, top } = await shownAgent(folder);
    await server.close();
    assert.is(await top.ended, 3);
    assert.match(
      top.err,
      /^Cannot show the stats as the program has ended: path is ".*"\n {2}A program serves them by serveStats/,
    );
    assert.ok(top.out.endsWith("\x1b[?1049l"));
    await agent.close();
  }));

test("millrace top --socket: a missing socket, a file, and a server of something else are errors", () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const other = createServer((socket) => void socket.on("error", () => {}).end('{"hello": 1}\n'));
    await new Promise<void>((resolve) => void other.listen(join(folder, "other"), resolve));
    for (
      const [path, expected] of [
        [join(folder, "missing"), /^Cannot show the stats as there is no such socket: path is ".*missing"/],
        [file, /^Cannot show the stats as (no program listens on the socket|.*): path is ".*file"/],
        [join(folder, "other"), /^Cannot show the stats as the socket must be one of serveStats: path is ".*other"/],
      ] as const
    ) {
      const top = new CliRun(createHub(), ["top", "--socket", path]);
      assert.is(await top.ended, 3, path);
      assert.match(top.err, expected);
      assert.is(top.out, "");
    }
    await new Promise((resolve) => void other.close(resolve));
  }));

test("millrace top: in a room it shows the participants, and answers a doctor", async () => {
  const hub = createHub();
  const bob = await createRuntime({ transport: hub.join("bob") });
  const top = start(hub, "watcher", ["top", "--json"]);
  assert.is(await top.ended, 0, top.err);
  const { identity, peers } = top.first("stats")["stats"] as RuntimeStats;
  assert.equal([identity, peers.map((peer) => [peer.identity, peer.kind])], ["watcher", [["bob", "millrace"]]]);
  assert.equal(top.rooms, { joined: 1, left: 1 });
  const shown = start(hub, "watcher", ["top"], { terminal: "all" });
  await shown.printed("out", /bob +millrace/);
  shown.interrupt();
  assert.is(await shown.ended, 0, shown.err);
  const ended = start(hub, "watcher", ["top"], { terminal: "all" });
  await ended.printed("out", "PARTICIPANT");
  ended.interrupt("SIGTERM");
  assert.is(await ended.ended, 143);
  await bob.close();
});

test("statsLines(): fits the screen, cuts long names, and shows why a stream has ended", async () => {
  const hub = createHub();
  const alice = await createRuntime({ transport: hub.join("alice") });
  const bob = await createRuntime({ transport: hub.join("bob") });
  const topic = "a topic that is longer than its column";
  bob.registerTextStreamHandler(topic, (reader) => reader.cancel("no\x07 thanks"));
  await alice.sendText("hi", { topic, destinationIdentities: ["bob"], confirm: true }).catch(() => {});
  const stats = alice.stats();
  const lines = statsLines(stats, { columns: 200, rows: 100 });
  assert.match(lines.at(-1) ?? "", /^→ text +a topic that is longer than… +bob +cancelled +2 B .* no\uFFFD thanks$/);
  const small = statsLines(stats, { columns: 30, rows: 5 });
  assert.is(small.length, 5);
  assert.ok(small.every((line) => line.length <= 30));
  await alice.close();
  await bob.close();
});

test.run();

/** An agent that serves its stats, and a terminal that shows them. */
async function shownAgent(folder: string): Promise<{
  agent: Runtime;
  server: Awaited<ReturnType<typeof serveStats>>;
  top: CliRun;
}> {
  const path = join(folder, "s.sock");
  const hub = createHub();
  const agent = await createRuntime({ transport: hub.join("agent") });
  const server = await serveStats(agent, path);
  const top = new CliRun(hub, ["top", "--socket", path, "--interval", "0.1"], { terminal: "all" });
  await top.printed("out", "PARTICIPANT");
  return { agent, server, top };
}
