// Background traffic of a participant during a transfer: messages of 50 bytes by the measured API, and calls by the Room.
import type { Room, TextStreamReader as SdkTextReader } from "@livekit/rtc-node";
import type { Runtime, TextStreamReader } from "../../mod.ts";
import { clock } from "../support/clock.ts";
import type { BackgroundCommand, BackgroundTraffic, Call, Heard } from "./commands.ts";

/** Topic of the messages. */
export const BACKGROUND_TOPIC = "background";
const METHOD = "bench.background";
const FILLER = "a message of fifty bytes, its number before it, no more";
const MESSAGE_BYTES = 50;

/** Time-out of a call: as long as a run may take, as late answers are measured. */
const CALL_TIMEOUT_MS = 100_000;

const came: [number, number][] = [];
const messages: number[] = [];
const calls: { -readonly [Key in keyof Call]: Call[Key] }[] = [];
let timers: ReturnType<typeof setInterval>[] = [];

/** Text of a message by its number: 50 bytes. */
export function messageText(number: number): string {
  return `${number} ${FILLER}`.slice(0, MESSAGE_BYTES);
}

/** Notes the messages that arrive, and answers calls. */
export function hear(room: Room, runtime: Runtime | undefined): void {
  const take = async (reader: TextStreamReader | SdkTextReader): Promise<void> => {
    const message = await reader.readAll();
    came.push([Number.parseInt(message), clock()]);
  };
  (runtime ?? room).registerTextStreamHandler(
    BACKGROUND_TOPIC,
    (reader: TextStreamReader | SdkTextReader) => void take(reader).catch((error) => console.error(error)),
  );
  room.localParticipant?.registerRpcMethod(METHOD, ({ payload }) => Promise.resolve(payload));
}

export function heard(): Heard {
  return came;
}

/** Waits for no message: the next one is sent at its time. */
export function startBackground(room: Room, runtime: Runtime | undefined, { to, messageMs, callMs }: BackgroundCommand): void {
  const participant = room.localParticipant;
  if (participant === undefined) throw new Error("Cannot send beside as the room is not connected");
  const options = { topic: BACKGROUND_TOPIC, destinationIdentities: [to] };
  const message = (): void => {
    const text = messageText(messages.push(clock()) - 1);
    const sending = runtime === undefined ? participant.sendText(text, options) : runtime.sendText(text, options);
    sending.catch((error) => console.error(error)); // it counts as one that has not come
  };
  const call = (): void => {
    const own: (typeof calls)[number] = { began: clock() };
    calls.push(own);
    participant.performRpc({ destinationIdentity: to, method: METHOD, payload: "?", responseTimeout: CALL_TIMEOUT_MS })
      .catch((error) => own.error = String(error))
      .finally(() => own.at = clock());
  };
  timers = [setInterval(message, messageMs), setInterval(call, callMs)];
}

/** Stops sending. May be called again for calls that are answered later. */
export function stopBackground(): BackgroundTraffic {
  for (const timer of timers) clearInterval(timer);
  timers = [];
  return { messages, calls };
}
