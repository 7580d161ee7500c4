// Bulk over simulated lines, with short messages beside it: goodput, and latencies of the messages.
import { pseudorandom } from "../bytes.ts";
import type { LinkOptions, Runtime } from "../../../mod.ts";
import { type HubFixture, inVirtualPair, type Member } from "./hub_fixture.ts";

/** A reliable line. Rate in bytes a second, the rest in ms. */
export interface Line {
  readonly rate: number;
  readonly delay: number;
  /** Longest queue of the line, in ms. Beyond it the sender must wait. */
  readonly queue: number;
  readonly loss?: number;
}

export function linkOf({ rate, delay, queue, loss = 0 }: Line): LinkOptions {
  return { kind: "reliable", rate, delay, queue: { ms: queue }, loss };
}

/** Result of a transfer. */
export interface Outcome {
  /** Bytes a second, from the call to its receipt. */
  readonly goodput: number;
  /** Latency of each message beside the transfer, in ms. */
  readonly latencies: readonly number[];
}

/** Interval of messages, in ms. */
const MESSAGE_INTERVAL = 100;

/** Sends bytes to a receiver, and a message each 100 ms beside them. */
export async function transfer(room: HubFixture, from: Runtime, to: Member, bytes: number, topic = "bulk"): Promise<Outcome> {
  const { time } = room;
  const latencies: number[] = [];
  to.runtime.registerTextStreamHandler(`${topic}:message`, async (reader) => {
    const sentAt = Number(await reader.readAll());
    latencies.push(time.now() - sentAt);
  });
  to.runtime.registerByteStreamHandler(topic, async (reader) => {
    for await (const part of reader) void part;
  });
  const begin = time.now();
  let over = false;
  const messages: Promise<unknown>[] = [];
  const say = (): void => {
    if (over) return;
    const options = { topic: `${topic}:message`, destinationIdentities: [to.runtime.identity] };
    messages.push(from.sendText(String(time.now()), options));
    time.setTimeout(say, MESSAGE_INTERVAL);
  };
  say();
  await time.run(from.sendBytes(pseudorandom(bytes), { topic, destinationIdentities: [to.runtime.identity] }));
  over = true;
  const goodput = bytes / (time.now() - begin) * 1_000;
  await time.run(Promise.all(messages));
  await time.advance(MESSAGE_INTERVAL);
  return { goodput, latencies };
}

/** A transfer over one line between two acquainted runtimes. */
export async function overLine(line: Line, bytes: number, during?: (room: HubFixture) => void): Promise<Outcome> {
  let outcome: Outcome | undefined;
  await inVirtualPair(async (alice, bob, room) => {
    await room.time.advance(5_000);
    during?.(room);
    outcome = await transfer(room, alice.runtime, bob, bytes);
  }, { link: linkOf(line) });
  if (outcome === undefined) throw new Error("Nothing was transferred");
  return outcome;
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
