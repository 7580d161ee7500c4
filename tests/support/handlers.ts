// Handlers of a runtime that give a test the streams of a topic.
import type { ByteStreamReader, IncomingRequest, RequestReply, Runtime, TextStreamReader } from "../../mod.ts";

/** Options of a stream of topic "t" for Bob alone. */
export const TO_BOB = { topic: "t", destinationIdentities: ["bob"] };

/** The first text stream of a topic. */
export function nextText(runtime: Runtime, topic = ""): Promise<TextStreamReader> {
  return new Promise((resolve) => runtime.registerTextStreamHandler(topic, (reader) => resolve(reader)));
}

/** The first byte stream of a topic. */
export function nextBytes(runtime: Runtime, topic = ""): Promise<ByteStreamReader> {
  return new Promise((resolve) => runtime.registerByteStreamHandler(topic, (reader) => resolve(reader)));
}

/** Readers of all byte streams of a topic, which nobody reads. */
export function collectReaders(runtime: Runtime, topic = "t", options: { window?: number } = {}): ByteStreamReader[] {
  const readers: ByteStreamReader[] = [];
  runtime.registerByteStreamHandler(topic, (reader) => void readers.push(reader), options);
  return readers;
}

/** Texts of the streams of a topic, each added when whole. */
export function collectTexts(runtime: Runtime, topic = ""): string[] {
  const texts: string[] = [];
  runtime.registerTextStreamHandler(topic, async (reader) => void texts.push(await reader.readAll()));
  return texts;
}

/** The bytes of the first stream of a topic. */
export function nextWhole(runtime: Runtime, topic = ""): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    runtime.registerByteStreamHandler(topic, (reader) => reader.readAll().then(resolve, reject));
  });
}

/** The reader offered last. Throws if there is none. */
export function last<Reader>(readers: readonly Reader[]): Reader {
  const reader = readers.at(-1);
  if (reader === undefined) throw new Error("No stream was offered");
  return reader;
}

/** A request that a test answers. */
export interface Asked {
  request: IncomingRequest;
  reply: RequestReply;
}

/** Requests of topic "ask", which the test answers. */
export function collectRequests(runtime: Runtime): Asked[] {
  const asked: Asked[] = [];
  runtime.registerRequestHandler("ask", (request, reply) => void asked.push({ request, reply }));
  return asked;
}
