import type { ByteStreamReader, TextStreamReader } from "../actors/readers/reader.ts";
import type { StreamSender } from "../actors/readers/handlers.ts";
import type { Runtime } from "../actors/runtime/runtime.ts";
import { aboutThis } from "./about.ts";
import { countFor, writeUntilCancelled } from "./byte_flow.ts";
import { ANSWER_TOPIC, ASK_TOPIC, isDuration, readQuestion, SECONDS_ATTRIBUTE, wallClock } from "./doctor_messages.ts";

/** Longest question, in bytes. */
const MOST_QUESTION = 1_000;

/**
 * Answers the questions of `millrace doctor` and of {@linkcode examine}: versions, times, and streams of bytes of ten seconds at most, one at a
 * time. Anybody in the room may ask. Returns the call that ends this.
 *
 * Throws "handler-exists" if the runtime answers already.
 */
export function answerDoctor(runtime: Runtime): () => void {
  let isSending = false;

  async function answer(reader: TextStreamReader, { transportIdentity, identity }: StreamSender): Promise<void> {
    const came = wallClock();
    const { streamId: replyToId, size } = reader.info;
    if (size === undefined || size > MOST_QUESTION) return await reader.cancel("it is no question");
    const question = readQuestion(await reader.readAll());
    const to = { topic: ANSWER_TOPIC, destinationIdentities: [transportIdentity ?? identity] };
    if (question?.ask === "about") await runtime.sendText(JSON.stringify(aboutThis()), { ...to, replyToId });
    else if (question?.ask === "time") await runtime.sendText(JSON.stringify({ came, went: wallClock() }), { ...to, replyToId });
    else if (question?.ask === "bytes" && !isSending) {
      isSending = true;
      try {
        await writeUntilCancelled(await runtime.streamBytes({ ...to, attributes: { replyToId }, compress: false }));
      } finally {
        isSending = false;
      }
    }
  }

  async function count(reader: ByteStreamReader, { transportIdentity, identity }: StreamSender): Promise<void> {
    const { streamId: replyToId, attributes } = reader.info;
    const seconds = Number(attributes[SECONDS_ATTRIBUTE]);
    if (!isDuration(seconds)) return await reader.cancel("its seconds are missing");
    const counted = await countFor(reader, seconds);
    const to = { topic: ANSWER_TOPIC, destinationIdentities: [transportIdentity ?? identity] };
    await runtime.sendText(JSON.stringify(counted), { ...to, replyToId });
  }

  runtime.registerTextStreamHandler(ASK_TOPIC, (reader, sender) => ignoringFailures(answer(reader, sender)));
  try {
    runtime.registerByteStreamHandler(ASK_TOPIC, (reader, sender) => ignoringFailures(count(reader, sender)));
  } catch (error) {
    runtime.unregisterTextStreamHandler(ASK_TOPIC);
    throw error;
  }
  return () => {
    runtime.unregisterTextStreamHandler(ASK_TOPIC);
    runtime.unregisterByteStreamHandler(ASK_TOPIC);
  };
}

/** Waits for an answer. One that fails is the asker's to notice: it has left, or its line is bad. */
async function ignoringFailures(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {});
}
