// needs: python
// The agent in a room and the Python program that asks it, each as its users run it.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runtimeCommand } from "../../../bench/support/program_command.ts";
import { suite } from "../../support/harness.ts";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { ExampleProgram } from "../../support/livekit/example_program.ts";
import { needed } from "../../../bench/support/programs.ts";
import { startServer, type TestServer } from "../../../bench/support/server.ts";

const ROOM = "lobby";

const REST = "What I know is that these words come one by one while a file is on its way.";

const test = suite("Python example");

test(
  "examples/python: two participants ask the agent at once, each gets its answer and report, and no temporary file stays",
  () =>
    inTemporaryFolder(async (folder) => {
      await using server = await startServer();
      const report = await makeReport(folder, 400_000);
      await using agent = startAgent(server, ["--report", report]);
      await agent.printed(/agent listens in room "lobby"/);
      const questions = ["What is a stream?", "Größe 😀?"];
      const askers = await Promise.all(questions.map(async (question, index) => {
        const inbox = join(folder, `inbox ${index}`);
        await mkdir(inbox);
        return { question, inbox, program: ask(server, [question, "--identity", `asker ${index}`, "--folder", inbox]) };
      }));
      for (const { question, inbox, program } of askers) {
        await using asker = program;
        assert.is(await asker.ended, 0, asker.err);
        assert.is(asker.out, `You asked "${question}", and a model would know. ${REST}\n`);
        assert.equal(await readdir(inbox), ["report.bin"]);
        assert.equal(await readFile(join(inbox, "report.bin")), await readFile(report));
        await agent.printed(new RegExp(`asked: ${question.replace("?", "\\?")}`));
      }
      agent.signal("SIGINT", "group");
      assert.is(await agent.ended, 0, agent.err);
      assert.is(agent.complaints, "");
      await agent.leftNothing();
    }),
  { seconds: 60 },
);

test(
  "examples/python: an asker learns that no agent is present, and that the report's file exists",
  () =>
    inTemporaryFolder(async (folder) => {
      await using server = await startServer();
      await using alone = ask(server, ["Anybody?", "--folder", folder]);
      assert.is(await alone.ended, 1, alone.err);
      assert.match(alone.complaints, /^Cannot ask as the agent must be in the room: identity is "agent"\n$/);
      await using agent = startAgent(server, ["--report", await makeReport(folder, 100)]);
      await agent.printed(/listens/);
      await using asker = ask(server, ["Once more?", "--folder", folder]); // where the report is already
      assert.is(await asker.ended, 1, asker.err);
      assert.match(asker.out, /^You asked "Once more\?".*\n$/);
      assert.match(asker.complaints, "report.bin");
      assert.equal(await readdir(folder), ["report.bin"]);
      agent.signal("SIGTERM");
      assert.is(await agent.ended, 0, agent.err);
    }),
  { seconds: 60 },
);

test("examples/livekit_agent: says why it cannot join, and that its room is gone", async () => {
  await using unnamed = startAgent(undefined, []);
  assert.is(await unnamed.ended, 1);
  assert.match(unnamed.complaints, /^Cannot join as the server must be given/);
  await using server = await startServer();
  await using agent = startAgent(server, ["--report", "no/such/file"]);
  await agent.printed(/listens/);
  await using asker = ask(server, ["Is there a report?", "--timeout", "1"]);
  assert.is(await asker.ended, 1, asker.err);
  assert.match(asker.complaints, /^Cannot ask as the agent must answer in time/);
  await agent.printed(/no\/such\/file/);
  await server.kill();
  assert.is(await agent.ended, 1);
  assert.match(agent.complaints, /Cannot go on as the room has ended/);
}, { seconds: 60 });

test.run();

async function makeReport(folder: string, size: number): Promise<string> {
  const path = join(folder, "report.bin");
  await writeFile(path, new Uint8Array(size).map((_, index) => (index * 2_654_435_761) >>> 13));
  return path;
}

function startAgent(server: TestServer | undefined, args: readonly string[]): ExampleProgram {
  const command = runtimeCommand(join(projectRoot(), "tools", "agent.js"), "--room", ROOM, ...args);
  return new ExampleProgram(command, server === undefined ? {} : { env: named(server) });
}

function ask(server: TestServer, args: readonly string[]): ExampleProgram {
  const program = join(projectRoot(), "examples", "python", "ask.py");
  return new ExampleProgram([needed("python"), program, "--room", ROOM, ...args], {
    env: { ...named(server), PYTHONIOENCODING: "utf8" },
  });
}

function named({ url, key, secret }: TestServer): Record<string, string> {
  return { LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret };
}
