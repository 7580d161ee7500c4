// The demonstration in a room, as its users run it: `npm start -- --livekit`.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runtimeCommand } from "../../../bench/support/program_command.ts";
import { suite } from "../../support/harness.ts";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { inTemporaryFolder, randomFile } from "../../support/temporary_folder.ts";
import { ExampleProgram } from "../../support/livekit/example_program.ts";
import { startServer } from "../../../bench/support/server.ts";
import { answers } from "../../support/waiting.ts";

const test = suite("demo in a room");

test(
  "demo --livekit: on its own server it shows the same as on a hub, and leaves nothing",
  () =>
    inTemporaryFolder(async (folder) => {
      const file = await randomFile(folder, 300_000);
      await using demo = await start(folder, ["--livekit", file]);
      const url = await demo.printed(/In a room of the LiveKit server at (\S+)/);
      assert.is(await demo.ended, 0, demo.err);
      assert.match(demo.out, /text +80 tokens to bob and carol: the same/);
      assert.match(demo.out, /as saved: the same/);
      assert.match(demo.out, /carol +saw nothing of bob's file, and \d+ packets of the text/);
      assert.match(demo.out, /file +bob +offered → receiving → closed/);
      assert.not.match(demo.out, /lk-rtc/); // the SDK's log
      await demo.leftNothing();
      assert.is(await answers(url), false);
      assert.equal(await temporaryFiles(folder), []);
    }),
  { seconds: 40 },
);

test("demo --livekit: starts no server if the environment names one", () =>
  inTemporaryFolder(async (folder) => {
    await using server = await startServer();
    await using demo = await start(folder, ["--livekit", await randomFile(folder, 20_000)], {
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.key,
      LIVEKIT_API_SECRET: server.secret,
    });
    assert.is(await demo.printed(/In a room of the LiveKit server at (\S+)/), server.url);
    assert.is(await demo.ended, 0, demo.err);
    assert.match(demo.out, /as saved: the same/);
    await demo.leftNothing();
    assert.is(await answers(server.url), true);
  }), { seconds: 40 });

test("demo --livekit: an absent or incompletely named server is one line of error", () =>
  inTemporaryFolder(async (folder) => {
    for (
      const [env, words] of [
        [{ LIVEKIT_URL: "ws://127.0.0.1:1", LIVEKIT_API_KEY: "devkey", LIVEKIT_API_SECRET: "secret" }, "refused"],
        [{ LIVEKIT_URL: "ws://127.0.0.1:1" }, "LIVEKIT_API_KEY is not set"],
      ] as const
    ) {
      await using demo = await start(folder, ["--livekit"], env);
      assert.is(await demo.ended, 1);
      assert.is(demo.complaints.trim().split("\n").length, 1, demo.err);
      assert.ok(demo.complaints.includes(words), demo.err);
      await demo.leftNothing();
      assert.equal(await temporaryFiles(folder), []);
    }
  }), { seconds: 40 });

for (const [signal, to] of [["SIGINT", "group"], ["SIGTERM", "program"]] as const) {
  test(
    `demo --livekit: ${signal} to the ${to} midway exits with 130, and leaves no process and no partial file`,
    () =>
      inTemporaryFolder(async (folder) => {
        await using demo = await start(folder, ["--livekit", await randomFile(folder, 16_000_000)]);
        await demo.printed(/ \d\d %/);
        demo.signal(signal, to);
        assert.is(await demo.ended, 130, demo.err);
        assert.match(demo.err, /Interrupted/);
        await demo.leftNothing();
        assert.equal(await temporaryFiles(folder), []);
      }),
    { seconds: 40 },
  );
}

test("demo --livekit: Ctrl-C before any stream ends it as well", () =>
  inTemporaryFolder(async (folder) => {
    await using demo = await start(folder, ["--livekit"]);
    await demo.printed(/Millrace demo/);
    demo.signal("SIGINT", "group");
    assert.is.not(await demo.ended, 0);
    await demo.leftNothing();
    assert.equal(await temporaryFiles(folder), []);
  }));

test.run();

async function start(folder: string, args: readonly string[], env: Record<string, string> = {}): Promise<ExampleProgram> {
  const temporary = join(folder, "tmp");
  await mkdir(temporary, { recursive: true });
  const command = runtimeCommand(join(projectRoot(), "tools", "start.js"), ...args);
  return new ExampleProgram(command, { cwd: folder, env: { TMPDIR: temporary, ...env } });
}

async function temporaryFiles(folder: string): Promise<string[]> {
  return await readdir(join(folder, "tmp"), { recursive: true });
}
