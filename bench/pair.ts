// Two participants of a hub, one of whom takes every stream: the base of all measurements of the whole runtime.
import {
  type ByteStreamReader,
  type CodecPool,
  createHub,
  createRuntime,
  type Hub,
  type Runtime,
  type TextStreamReader,
} from "../mod.ts";

/** Alice, who sends, and Bob, who reads. */
export interface Pair extends AsyncDisposable {
  readonly hub: Hub;
  readonly alice: Runtime;
  readonly bob: Runtime;
  /** Bytes that Bob has read; of text, UTF-16 units. */
  readonly taken: () => number;
  /** Number of streams that Bob has read to their end. */
  readonly ended: () => number;
  close(): Promise<void>;
}

/** Topic of streams that Bob reads to the end and drops. */
export const TOPIC = "bench";

/** Topic of streams that Bob reads by `readAll`. */
export const WHOLE_TOPIC = "bench whole";

/** Options of a stream for Bob alone, done when he has all of it. */
export const TO_BOB: { topic: string; destinationIdentities: string[]; confirm: true } = {
  topic: TOPIC,
  destinationIdentities: ["bob"],
  confirm: true,
};

export async function openPair(pool: CodecPool | false | undefined, chunkSize?: number): Promise<Pair> {
  const hub = createHub();
  const options = { ...(pool === undefined ? {} : { pool }), ...(chunkSize === undefined ? {} : { chunkSize }) };
  const alice = await createRuntime({ ...options, transport: hub.join("alice") });
  const bob = await createRuntime({ ...options, transport: hub.join("bob") });
  let taken = 0;
  let ended = 0;
  const take = async (reader: TextStreamReader | ByteStreamReader): Promise<void> => {
    for await (const part of reader) taken += part.length;
    ended++;
  };
  bob.registerTextStreamHandler(TOPIC, take);
  bob.registerByteStreamHandler(TOPIC, take);
  bob.registerByteStreamHandler(WHOLE_TOPIC, async (reader) => {
    taken += (await reader.readAll()).length;
    ended++;
  });
  const close = async (): Promise<void> => {
    await alice.close();
    await bob.close();
  };
  return { hub, alice, bob, taken: () => taken, ended: () => ended, close, [Symbol.asyncDispose]: close };
}
