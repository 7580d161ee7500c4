// One transfer by one contender, with background traffic, between two participants of its own.
import type { Kind, Pair, Participant, Processes } from "../livekit/processes.ts";
import { clock } from "../support/clock.ts";
import type { BackgroundTraffic, Heard, SendCommand } from "../livekit/commands.ts";
import { type Holds, quantile, wait } from "../probe.ts";
import type { Contents } from "./contents.ts";

export interface Contender {
  readonly name: string;
  readonly by: Kind;
  /** Kind of the receiver. Default: as the sender. */
  readonly to?: Kind;
  readonly how: SendCommand["how"];
}

/** Result of one transfer. Times are in ms. */
export interface Run {
  /** MB a second, from the call to the last byte read. */
  readonly rate: number;
  /** Share of the bytes that came: less than 1 if the transfer was ended before its end. */
  readonly share: number;
  /** One-way times of messages during the transfer. A lost message counts as late as at the moment it was given up. */
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Number of messages, and of lost messages. */
  readonly messages: number;
  readonly lost: number;
  /** p95 of round trips of calls during the transfer. A failed call counts as a lost message does. */
  readonly call: number;
  readonly failed: number;
  /** Longest hold of either end's event loop, in total and without the time in which its thread waited for a core. Absent for Python. */
  readonly hold?: number;
  readonly running?: number;
  /** Reason for an early end. */
  readonly why?: string;
}

export interface Bounds {
  /** Longest time of a transfer, in ms. */
  readonly transferMs: number;
  /** Longest time of messages and calls after the transfer, in ms. */
  readonly afterMs: number;
}

const TOPIC = "read";
const WRITE_BYTES = 15_000;
const MESSAGE_MS = 100;
const CALL_MS = 200;

/** Messages that must arrive before the transfer begins, so that connections and code are warm. */
const FIRST_MESSAGES = 5;
const FIRST_MS = 20_000;
const LOOK_MS = 20;

export async function runOnce(processes: Processes, contender: Contender, contents: Contents, bounds: Bounds): Promise<Run> {
  const pair = await processes.pair(contender.by, contender.to ?? contender.by);
  try {
    await pair.receiver.ask("listen", { kind: "bytes", topic: TOPIC, how: "read" });
    await pair.receiver.ask("hear", {});
    await pair.sender.ask("startBackground", { to: pair.receiver.identity, messageMs: MESSAGE_MS, callMs: CALL_MS });
    await until(async () => (await pair.receiver.ask("heard", {})).length >= FIRST_MESSAGES, FIRST_MS, "no messages come");
    const command = commandOf(pair, contender, contents);
    const watched = contender.by === "python" ? [] : [pair.sender, pair.receiver];
    if (watched.length > 0) await pair.sender.ask("prepare", command);
    for (const participant of watched) await participant.ask("watchHolds", {});
    const transfer = await transferred(pair, command, bounds);
    const holds = await Promise.all(watched.map((participant) => participant.ask("holds", {})));
    const { messages, calls } = await besides(pair, transfer, bounds);
    return {
      rate: transfer.bytes / 1000 / (transfer.at - transfer.began),
      share: transfer.bytes / contents.bytes,
      p50: quantile(messages.map(({ ms }) => ms), 0.5),
      p95: quantile(messages.map(({ ms }) => ms), 0.95),
      max: quantile(messages.map(({ ms }) => ms), 1),
      messages: messages.length,
      lost: messages.filter(({ well }) => !well).length,
      call: quantile(calls.map(({ ms }) => ms), 0.95),
      failed: calls.filter(({ well }) => !well).length,
      ...holdsOf(holds.filter((each) => each !== null)),
      ...(transfer.why === undefined ? {} : { why: transfer.why }),
    };
  } finally {
    await processes.kill(pair);
  }
}

function holdsOf(holds: readonly Holds[]): { hold?: number; running?: number } {
  if (holds.length === 0) return {};
  return {
    hold: Math.max(...holds.map(({ longest }) => longest)),
    running: Math.max(...holds.map(({ own, longest }) => own ?? longest)),
  };
}

interface Transfer {
  readonly began: number;
  readonly at: number;
  readonly bytes: number;
  readonly why?: string;
}

function commandOf({ receiver }: Pair, { how }: Contender, { path, bytes }: Contents): SendCommand {
  return { how, topic: TOPIC, to: [receiver.identity], bytes, write: WRITE_BYTES, path };
}

async function transferred({ sender, receiver }: Pair, command: SendCommand, bounds: Bounds): Promise<Transfer> {
  const { bytes } = command;
  const asked = clock();
  const whole = Promise.all([sender.ask("send", command), receiver.ended(bytes)]).then(
    ([{ began }, { at }]): Transfer => ({ began, at, bytes }),
    (error: unknown) => error instanceof Error ? error.message : String(error),
  );
  const transfer = await within(whole, bounds.transferMs, `took longer than ${bounds.transferMs / 1000} s`);
  if (typeof transfer !== "string") return transfer;
  return { began: asked, at: clock(), bytes: await takenBy(receiver), why: transfer };
}

async function takenBy(receiver: Participant): Promise<number> {
  return await receiver.ask("taken", {});
}

/** Duration of a message or call, and whether it succeeded. */
interface Took {
  readonly ms: number;
  readonly well: boolean;
}

/** Messages and calls that were sent during the transfer. */
async function besides(
  { sender, receiver }: Pair,
  { began, at, why }: Transfer,
  { afterMs }: Bounds,
): Promise<{ messages: Took[]; calls: Took[] }> {
  const limit = clock() + (why === undefined ? afterMs : 0); // after one that was cut off, what has not come by now is that late
  for (;;) {
    const sent = await sender.ask("stopBackground", {});
    const heard = await receiver.ask("heard", {});
    const found = { messages: messagesOf(sent, heard, began, at), calls: callsOf(sent, began, at) };
    const all = found.messages.every(({ well }) => well) && sent.calls.every((call) => call.at !== undefined);
    if (all || clock() >= limit) return found;
    await wait(LOOK_MS);
  }
}

function messagesOf(sent: BackgroundTraffic, heard: Heard, began: number, at: number): Took[] {
  const now = clock();
  const came = new Map(heard);
  return sent.messages.flatMap((time, index) => {
    const end = came.get(index);
    return time < began || time > at ? [] : [{ ms: (end ?? now) - time, well: end !== undefined }];
  });
}

function callsOf(sent: BackgroundTraffic, began: number, at: number): Took[] {
  const now = clock();
  return sent.calls.flatMap((call) => {
    const end = call.error === undefined ? call.at : undefined;
    return call.began < began || call.began > at ? [] : [{ ms: (end ?? now) - call.began, well: end !== undefined }];
  });
}

async function until(isSo: () => Promise<boolean>, ms: number, why: string): Promise<void> {
  const limit = clock() + ms;
  while (!await isSo()) {
    if (clock() > limit) throw new Error(`Cannot measure as ${why}: milliseconds are ${ms}`);
    await wait(LOOK_MS);
  }
}

async function within<T, Late>(work: Promise<T>, ms: number, late: Late): Promise<T | Late> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([work, new Promise<Late>((resolve) => timer = setTimeout(() => resolve(late), ms))]);
  } finally {
    clearTimeout(timer);
  }
}
