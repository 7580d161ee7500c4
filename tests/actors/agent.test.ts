// The example agent, as it is in the documentation: people will copy it.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { type Actor, createActor } from "xstate";
import { agent, type AgentInput, type ConversationEnded } from "../../examples/agent.ts";
import {
  type ByteStreamReader,
  createHub,
  createRuntime,
  type Hub,
  type Runtime,
  StreamError,
  type TextStreamReader,
} from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/waiting.ts";

const REPORT_BYTES = 3_000_000;

const test = suite("examples/agent");

/** Fake language model. */
async function* think(question: string): AsyncGenerator<string> {
  if (question === "") throw new RangeError("Cannot think of nothing");
  for (const word of ["You ", "asked: ", question]) {
    await wait(1);
    yield word;
  }
}

async function* mumble(): AsyncGenerator<string> {
  for (;;) yield "and so on, ";
}

test("examples/agent: several askers at once each get their own answers and reports", () =>
  inOffice(async ({ hub, start, folder, report }) => {
    const { endings } = start({ think });
    const askers = await Promise.all(["alice", "bob", "carol"].map((identity) => Asker.join(hub, identity, folder)));
    const asked = await Promise.all(askers.map((asker) => Promise.all([asker.ask("why?"), asker.ask("how?")])));
    for (const [index, asker] of askers.entries()) {
      await until(() => asker.answers.length === 2 && asker.reports.length === 2);
      const ids = asked[index] ?? [];
      const expected = ["why?", "how?"].map((question, i) => ({ text: `You asked: ${question}`, to: ids[i], question: ids[i] }));
      assert.equal(byText(asker.answers), byText(expected));
      assert.equal(new Set(asker.reports.map(({ question }) => question)), new Set(ids));
      for (const { path } of asker.reports) assert.equal(await readFile(path), await readFile(report));
      assert.is((await readdir(join(folder, asker.runtime.identity))).length, 2); // nobody got another's
    }
    await until(() => endings.length === 6);
    assert.equal(endings.flatMap(({ failures }) => failures), []);
    for (const { runtime } of askers) await runtime.close();
  }));

test("examples/agent: words arrive while the report is on its way, even if its reader takes nothing", () =>
  inOffice(async ({ hub, start, folder }) => {
    start({ think });
    const asker = await Asker.join(hub, "alice", folder);
    asker.runtime.unregisterByteStreamHandler("reports");
    const reporting = nextReport(asker.runtime);
    await asker.ask("why?");
    const unread = await reporting;
    await until(() => asker.answers.length === 1);
    assert.is((await unread.readAll()).length, REPORT_BYTES);
    await asker.runtime.close();
  }));

test("examples/agent: a failure is logged, the asker gets an excuse, and the agent goes on", () =>
  inOffice(async ({ hub, start, folder }) => {
    const { actor, endings } = start({ think, report: "no/such/file" });
    const asker = await Asker.join(hub, "alice", folder);
    const abandoned = await asker.ask("");
    await until(() => asker.answers.length === 2);
    assert.match(asker.answers.find(({ text }) => text.startsWith("failed"))?.text ?? "", "aborted");
    assert.equal(asker.answers.find(({ text }) => text.startsWith("Sorry")), {
      text: "Sorry, I cannot answer that.",
      to: abandoned,
      question: abandoned,
    });
    await until(() => endings.length === 1);
    assert.is(endings[0]?.asker, "alice");
    const failures = endings[0]?.failures ?? [];
    assert.is(failures.length, 2);
    assert.ok(failures.some((error) => error instanceof RangeError));
    assert.ok(failures.some((error) => error instanceof StreamError && error.code === "file-error"));

    await asker.ask("why?");
    await until(() => asker.answers.length === 3);
    assert.is(asker.answers[2]?.text, "You asked: why?");
    await until(() => endings.length === 2);
    assert.equal(Object.values(actor.getSnapshot().children).length, 1); // the listener: who has ended is forgotten
    await asker.runtime.close();
  }));

test("examples/agent: an asker who leaves ends its own conversation only", () =>
  inOffice(async ({ hub, start, folder }) => {
    const { endings } = start({
      think: (question) => question === "all?" ? mumble() : think(question),
    });
    const alice = await Asker.join(hub, "alice", folder);
    const bob = await Asker.join(hub, "bob", folder);
    const answering = alice.nextAnswer();
    await alice.ask("all?");
    await answering;
    await alice.runtime.close();
    await until(() => endings.length === 1);
    assert.is(endings[0]?.asker, "alice");
    assert.ok(endings[0]?.failures.every((error) => error instanceof StreamError));
    await bob.ask("why?");
    await until(() => bob.answers.length === 1);
    assert.is(bob.answers[0]?.text, "You asked: why?");
    await bob.runtime.close();
  }));

test("examples/agent: stopping the agent ends all its answers and reports at the receivers", () =>
  inOffice(async ({ hub, start }) => {
    const { actor } = start({ think: mumble });
    const askers = await Promise.all(["alice", "bob"].map((identity) => createRuntime({ transport: hub.join(identity) })));
    const open = await Promise.all(askers.map(async (asker) => {
      const answering = new Promise<TextStreamReader>((resolve) => {
        asker.registerTextStreamHandler("answers", (reader) => resolve(reader));
      });
      const reporting = nextReport(asker);
      await asker.sendText("all?", { topic: "questions" });
      return [await answering, await reporting] as const;
    }));
    actor.stop();
    for (const reader of open.flat()) await rejection(() => reader.readAll(), "aborted");
    for (const asker of askers) await asker.close();
  }));

test.run();

interface Office {
  readonly hub: Hub;
  readonly folder: string;
  readonly report: string;
  /** Starts the agent. It is stopped when the office closes. */
  start(input: Partial<AgentInput> & Pick<AgentInput, "think">): { actor: Actor<typeof agent>; endings: ConversationEnded[] };
}

function inOffice(body: (office: Office) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const report = join(folder, "report.bin");
    await writeFile(report, new Uint8Array(REPORT_BYTES).map((_, index) => index * index));
    const hub = createHub();
    const runtime = await createRuntime({ transport: hub.join("host"), pool: false });
    let started: Actor<typeof agent> | undefined;
    const start: Office["start"] = (input) => {
      const actor = createActor(agent, { input: { runtime, report, ...input } });
      const endings: ConversationEnded[] = [];
      actor.on("conversation.ended", (ending) => void endings.push(ending));
      started = actor.start();
      return { actor, endings };
    };
    try {
      await body({ hub, folder, report, start });
    } finally {
      started?.stop();
      await runtime.close();
    }
  });
}

interface Answer {
  readonly text: string;
  readonly to: string | undefined;
  readonly question: string | undefined;
}

/** Participant that asks, and keeps the answers. */
class Asker {
  readonly runtime: Runtime;
  readonly answers: Answer[] = [];
  readonly reports: { path: string; question: string | undefined }[] = [];
  #onAnswer: (() => void) | undefined;

  private constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  static async join(hub: Hub, identity: string, folder: string): Promise<Asker> {
    const asker = new Asker(await createRuntime({ transport: hub.join(identity), pool: false }));
    await mkdir(join(folder, identity));
    asker.runtime.registerTextStreamHandler("answers", async (reader) => {
      asker.#onAnswer?.();
      const text = await reader.readAll().catch((error: StreamError) => `failed: ${error.code}`);
      asker.answers.push({ text, to: reader.info.replyToId, question: reader.info.attributes["question"] });
    });
    asker.runtime.registerByteStreamHandler("reports", async (reader) => {
      const { path } = await reader.saveTo(`${folder}/${identity}/`);
      asker.reports.push({ path, question: reader.info.attributes["question"] });
    });
    return asker;
  }

  /** Returns the question's stream id. */
  async ask(question: string): Promise<string> {
    const { streamId } = await this.runtime.sendText(question, { topic: "questions", destinationIdentities: ["host"] });
    return streamId;
  }

  /** Resolves when an answer begins. */
  nextAnswer(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }
}

/** The reader is left unread, so that its sender waits. */
function nextReport(asker: Runtime): Promise<ByteStreamReader> {
  return new Promise((resolve) => asker.registerByteStreamHandler("reports", (reader) => resolve(reader)));
}

function byText(answers: readonly Answer[]): Answer[] {
  return [...answers].sort((a, b) => a.text < b.text ? -1 : 1);
}

/** Looks each millisecond; the test's limit bounds it. */
