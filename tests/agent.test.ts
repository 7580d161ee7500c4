// The example agent at work: people will copy it.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { createActor, waitFor } from "xstate";
import { agent } from "../examples/agent.ts";
import {
  type ByteStreamReader,
  createHub,
  createRuntime,
  type Runtime,
  type StreamError,
  type TextStreamReader,
} from "../mod.ts";
import { suite } from "./harness.ts";
import { rejection } from "./rejections.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

const test = suite("agent");

/** Stands in for a language model. */
async function* think(question: string): AsyncGenerator<string> {
  if (question === "") throw new RangeError("Cannot think of nothing");
  for (const word of ["You ", "asked: ", question]) {
    await wait(1);
    yield word;
  }
}

test("the agent answers while it sends its report", () =>
  inOffice(async ({ host, client, report, folder }) => {
    const saved = new Promise<string>((resolve) => {
      client.registerByteStreamHandler("reports", async (reader) => resolve((await reader.saveTo(`${folder}/received/`)).path));
    });
    const answers = collect(client, 2);
    const actor = createActor(agent, { input: { runtime: host, report, client: "client", think } }).start();
    const { streamId } = await client.sendText("why?", { topic: "questions" });
    await client.sendText("how?", { topic: "questions" });
    const heard = await answers;
    assert.equal(heard.map(({ text }) => text).sort(), ["You asked: how?", "You asked: why?"]);
    assert.is(heard.find(({ text }) => text.endsWith("why?"))?.replyToId, streamId);
    assert.equal(await readFile(await saved), await readFile(report));
    const { context } = await waitFor(actor, ({ value }) => value.report === "sent");
    assert.is(context.percent, 100);
    assert.equal(context.failures, []);
    actor.stop();
  }));

test("what fails is noted, and the agent goes on", () =>
  inOffice(async ({ host, client }) => {
    const actor = createActor(agent, { input: { runtime: host, report: "no/such/file", client: "client", think } }).start();
    await waitFor(actor, ({ value }) => value.report === "failed");
    const unanswered = next(client);
    await client.sendText("", { topic: "questions" });
    const answer = await unanswered;
    await rejection(() => answer.readAll(), "aborted");
    client.unregisterTextStreamHandler("answers");
    await waitFor(actor, ({ context }) => context.failures.length === 2);
    const [missing, thoughtless] = actor.getSnapshot().context.failures;
    assert.is((missing as StreamError).code, "file-error");
    assert.instance(thoughtless, RangeError);
    const answers = collect(client, 1);
    await client.sendText("why?", { topic: "questions" });
    assert.is((await answers)[0]?.text, "You asked: why?");
    actor.stop();
  }));

test("stopping the agent ends its answers and its report at the other end", () =>
  inOffice(async ({ host, client, report }) => {
    const answering = next(client);
    const reporting = new Promise<ByteStreamReader>((resolve) => {
      client.registerByteStreamHandler("reports", (reader) => resolve(reader)); // unread, so that its sender waits
    });
    const endless = async function* (): AsyncGenerator<string> {
      for (;;) yield "and so on, ";
    };
    const actor = createActor(agent, { input: { runtime: host, report, client: "client", think: endless } }).start();
    await client.sendText("why?", { topic: "questions" });
    const answer = await answering;
    const unread = await reporting;
    actor.stop();
    await rejection(() => answer.readAll(), "aborted");
    await rejection(() => unread.readAll(), "aborted");
  }));

test.run();

interface Office {
  readonly host: Runtime;
  readonly client: Runtime;
  readonly report: string;
  readonly folder: string;
}

function inOffice(body: (office: Office) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const report = join(folder, "report.bin");
    await mkdir(join(folder, "received"));
    await writeFile(report, new Uint8Array(3_000_000).map((_, index) => index * index));
    const hub = createHub();
    const host = await createRuntime({ transport: hub.join("host"), pool: false });
    const client = await createRuntime({ transport: hub.join("client"), pool: false });
    try {
      await body({ host, client, report, folder });
    } finally {
      await host.close();
      await client.close();
    }
  });
}

function next(client: Runtime): Promise<TextStreamReader> {
  return new Promise((resolve) => client.registerTextStreamHandler("answers", (reader) => resolve(reader)));
}

/** So many answers, whole. */
function collect(client: Runtime, count: number): Promise<{ text: string; replyToId: string | undefined }[]> {
  const answers: { text: string; replyToId: string | undefined }[] = [];
  return new Promise((resolve) => {
    client.registerTextStreamHandler("answers", async (reader) => {
      answers.push({ text: await reader.readAll(), replyToId: reader.info.replyToId });
      if (answers.length === count) resolve(answers);
    });
  });
}
