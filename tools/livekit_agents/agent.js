// Agent of worker.js: a session with a fake model in a Room that a Millrace runtime has adopted. It writes what happens as lines of JSON. The
// job's metadata say whom the session is with ("linked"), who speaks for it ("avatar"), and how many bytes the entry sends before it ends
// ("bytes").
import process from "node:process";
import { AgentSession, AudioOutput, defineAgent, testing, voice } from "@livekit/agents";
import { AudioFrame } from "@livekit/rtc-node";
import { adoptJob, avatarAudioOutput, transcriptionOutput } from "../../dist/integrations/livekit_agents/mod.js";

const { Agent } = voice;

/** Bytes of a part of a file. */
const PART = 30_000;

/** Samples a second of speech, and of a frame. */
const RATE = 24_000;
const SAMPLES = 2_400;

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

/** Replaces a voice: frames of a tone that no codec shortens. */
function speech(seconds) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= seconds * RATE) return controller.close();
      const samples = Int16Array.from({ length: SAMPLES }, (_, n) => (at + n) & 0x7fff);
      at += SAMPLES;
      controller.enqueue(new AudioFrame(samples, RATE, 1, SAMPLES));
    },
  });
}

async function sendFile(runtime, identity, bytes) {
  const source = (function* () {
    for (let at = 0; at < bytes; at += PART) yield crypto.getRandomValues(new Uint8Array(PART));
  })();
  try {
    await runtime.sendBytes(source, { topic: "report", destinationIdentities: [identity] });
    tell("sent");
  } catch ({ code }) {
    tell("not sent", { code });
  }
}

/** Answers to the requests of participants. */
function answer(job, runtime, session) {
  const on = (topic, act) => {
    runtime.registerTextStreamHandler(topic, async (reader, { identity }) => await act(await reader.readAll(), identity));
  };
  on("send file", (bytes, identity) => sendFile(runtime, identity, Number(bytes)));
  on("shut down", (reason) => job.shutdown(reason));
  on("interrupt", () => void session.interrupt());
  on("speak", async (seconds) => {
    const said = session.say("It depends.", { audio: speech(Number(seconds)) });
    await said.waitForPlayout();
    tell("spoken", { interrupted: said.interrupted });
  });
  runtime.registerByteStreamHandler("files", async (reader) => {
    try {
      tell("saved", await reader.saveTo(job.job.metadata === "" ? "" : `${JSON.parse(job.job.metadata).folder}/`));
    } catch ({ code }) {
      tell("not saved", { code });
    }
  });
}

export default defineAgent({
  entry: async (job) => {
    const { linked, avatar, bytes } = JSON.parse(job.job.metadata);
    const runtime = await adoptJob(job, { onError: ({ code, message }) => tell("error", { code, message }) });
    const state = () => runtime.actor.getSnapshot().value;
    job.room.once("disconnected", () => tell("room disconnected", { runtime: state() }));
    job.addShutdownCallback(() => {
      tell("shutdown callback", { runtime: state(), isConnected: job.room.isConnected });
      return Promise.resolve();
    });

    const session = new AgentSession({ llm: model() });
    answer(job, runtime, session);
    if (avatar !== undefined) {
      const onError = ({ code, message }) => tell("avatar error", { code, message });
      session.output.audio = avatarAudioOutput(AudioOutput, runtime, { room: job.room, identity: avatar, onError });
    }
    await session.start({
      agent: new Agent({ instructions: "Answer." }),
      room: job.room,
      inputOptions: { audioEnabled: false, closeOnDisconnect: false, participantIdentity: linked },
      outputOptions: { audioEnabled: false },
    });
    session.output.transcription = transcriptionOutput(runtime);
    tell("ready", { identity: runtime.identity, process: process.pid, parent: process.ppid });
    if (bytes !== undefined) await sendFile(runtime, linked, bytes);
  },
});
