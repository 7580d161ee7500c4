// A runtime and its Room in a worker thread of another process: LiveKit's SDK may run in one thread of a process, not only in the main
// one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { programCommand } from "../../../bench/support/program_command.ts";
import type { Runtime } from "../../../mod.ts";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { until } from "../../support/waiting.ts";

const test = suite("runtime in a worker thread");
const rooms = await LiveKitRooms.start();

/** Bytes enough for frames, and for the codec's own workers. */
const FILE_BYTES = 1_000_000;

test(
  "worker thread: texts and a file go to a runtime in a worker thread and back, and the process ends by itself",
  () =>
    inTemporaryFolder((folder) =>
      rooms.in(async (fixture) => {
        const { runtime, room } = await fixture.join("alice");
        await mkdir(join(folder, "theirs"));
        const program = start(fixture.server.url, await fixture.server.token("worker", fixture.name), join(folder, "theirs"));
        try {
          const ended = once(program.child, "close");
          const gone = ended.then(() => Promise.reject(new Error(`The program ended too early: ${program.output()}`)));
          gone.catch(() => {}); // in the end it does end
          const to = (topic: string): { topic: string; destinationIdentities: string[] } => ({
            topic,
            destinationIdentities: ["worker"],
          });
          await Promise.race([until(() => room.remoteParticipants.has("worker")), gone]);

          for (const question of ["are you there?", "x".repeat(100_000)]) {
            const answer = nextText(runtime, "answers");
            await runtime.sendText(question, to("questions"));
            assert.is(await Promise.race([answer, gone]), `heard: ${question}`);
          }

          const content = pattern(FILE_BYTES);
          await writeFile(join(folder, "numbers.bin"), content);
          const back = nextFile(runtime, "files back", join(folder, "back.bin"));
          const { receipts } = await Promise.race([runtime.sendFile(join(folder, "numbers.bin"), to("files")), gone]);
          assert.equal(receipts, [{ identity: "worker", bytes: FILE_BYTES }]);
          await Promise.race([back, gone]);
          assert.ok((await readFile(join(folder, "back.bin"))).equals(content));

          await runtime.sendText("", to("end"));
          const [code] = await ended as [number | null];
          assert.is(code, 0, program.output());
          assert.match(program.output(), /worker ended: 0/);
        } finally {
          program.child.kill("SIGKILL");
        }
      })
    ),
  { seconds: 60 },
);

test.after(() => rooms.close());
test.run();

function start(...args: string[]): { child: ReturnType<typeof spawn>; output: () => string } {
  const [program, ...rest] = programCommand("tests/fixtures/livekit_worker_thread", ...args);
  const child = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production" }, // which Bun reads before the program does
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => void (output += text));
  }
  return { child, output: () => output };
}

function nextText(runtime: Runtime, topic: string): Promise<string> {
  return new Promise((resolve, reject) => {
    runtime.registerTextStreamHandler(topic, async (reader) => {
      runtime.unregisterTextStreamHandler(topic);
      await reader.readAll().then(resolve, reject);
    });
  });
}

function nextFile(runtime: Runtime, topic: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    runtime.registerByteStreamHandler(topic, async (reader) => await reader.saveTo(path).then(resolve, reject));
  });
}
