// Two participants of a hub, one of whom takes whatever comes: what every measurement of the whole runtime is made on.
import {
  type ByteStreamReader,
  type CodecPool,
  createHub,
  createRuntime,
  type Hub,
  type Runtime,
  type TextStreamReader,
} from "../mod.ts";

/** The stream's reader does with it what the measurement asks for. */
export interface Pair extends AsyncDisposable {
  readonly hub: Hub;
  readonly alice: Runtime;
  readonly bob: Runtime;
  /** Bytes that bob has read, of text UTF-16 units. */
  readonly taken: () => number;
  /** Streams that bob has read to their ends. */
  readonly ended: () => number;
  close(): Promise<void>;
}

/** Topic of streams that Bob reads to the end and drops. */
export const TOPIC = "bench";

/** The same, with room for four times the default window. */
export const WIDE_TOPIC = "bench wide";

const WIDE_WINDOW = 4 * 1024 * 1024;

/** To bob alone, and done when he has all of it. */
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
  bob.registerByteStreamHandler(WIDE_TOPIC, take, { window: WIDE_WINDOW });
  const close = async (): Promise<void> => {
    await alice.close();
    await bob.close();
  };
  return { hub, alice, bob, taken: () => taken, ended: () => ended, close, [Symbol.asyncDispose]: close };
}
