// Agent of worker.js: a session with a fake model in a Room that a Millrace runtime has adopted. It writes what happens as lines of JSON.
import process from "node:process";
import { AgentSession, defineAgent, testing, voice } from "@livekit/agents";
import { adoptJob, transcriptionOutput } from "../../dist/integrations/livekit_agents/mod.js";

const { Agent } = voice;

/** Bytes of a part of a file. */
const PART = 30_000;

/** Writes a line for the test. */
function tell(event, more = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
}

/** Replaces a language model. */
const model = () =>
  new testing.FakeLLM([
    { input: "Hello from Alice", content: "Alice, I have read you." },
    { input: "Hello from Bob", content: "Bob, I have read you too." },
  ]);

export default defineAgent({
  entry: async (job) => {
    const runtime = await adoptJob(job, { onError: ({ code, message }) => tell("error", { code, message }) });
    const state = () => runtime.actor.getSnapshot().value;
    job.room.once("disconnected", () => tell("room disconnected", { runtime: state() }));
    job.addShutdownCallback(() => {
      tell("shutdown callback", { runtime: state(), isConnected: job.room.isConnected });
      return Promise.resolve();
    });

    runtime.registerByteStreamHandler("files", async (reader, { identity }) => {
      tell("file", { from: identity, bytes: (await reader.readAll()).length });
    });
    runtime.registerTextStreamHandler("send file", async (reader, { identity }) => {
      const bytes = Number(await reader.readAll());
      const source = (async function* () {
        for (let at = 0; at < bytes; at += PART) yield crypto.getRandomValues(new Uint8Array(PART));
      })();
      try {
        await runtime.sendBytes(source, { topic: "report", destinationIdentities: [identity] });
        tell("sent");
      } catch ({ code }) {
        tell("not sent", { code });
      }
    });
    runtime.registerTextStreamHandler("shut down", async (reader) => job.shutdown(await reader.readAll()));

    const { linked } = JSON.parse(job.job.metadata);
    const session = new AgentSession({ llm: model() });
    await session.start({
      agent: new Agent({ instructions: "Answer." }),
      room: job.room,
      inputOptions: { audioEnabled: false, closeOnDisconnect: false, participantIdentity: linked },
      outputOptions: { audioEnabled: false },
    });
    session.output.transcription = transcriptionOutput(runtime);
    tell("ready", { identity: runtime.identity, process: process.pid, parent: process.ppid });
  },
});
