import { StreamError } from "../errors.ts";
import { onAbort, unlessAborted } from "../common/abort.ts";
import { randomId } from "../common/platform.ts";
import { pause, systemClock, within } from "../common/clock.ts";
import { assertKnownNames, type OptionNames } from "../protocol/option_names.ts";
import { isRecord } from "../common/shapes.ts";
import type { ByteStreamReader } from "../actors/readers/reader.ts";
import type { Runtime } from "../actors/runtime/runtime.ts";
import { type About, aboutThis } from "./about.ts";
import { type ByteCount, countFor, writeUntilCancelled } from "./byte_flow.ts";
import {
  ANSWER_TOPIC,
  ASK_TOPIC,
  MOST_SECONDS,
  type Question,
  readAbout,
  readCount,
  readTimes,
  SECONDS_ATTRIBUTE,
  wallClock,
} from "./doctor_messages.ts";

/** Least time between two pings, in ms. */
const PING_INTERVAL_MS = 20;

/** Time after which a ping no longer waits for the answer to the one before, in ms: they must not queue behind each other. */
const PING_WAIT_MS = 200;

/** Time after which a question counts as lost, in ms. */
const ANSWER_MS = 3_000;

/** Options of an examination. */
export interface ExaminationOptions {
  /** Number of short texts of which the answers are timed. Default 50. */
  pings?: number;
  /** Duration of the streams of bytes, in seconds, each way. Default 2, at most 10; 0 leaves them out. */
  seconds?: number;
  /** Ends the examination. */
  signal?: AbortSignal;
}

/** Times from a question to its answer, in ms, by percentiles of those that came. */
export interface Latency {
  readonly least: number;
  readonly p50: number;
  readonly p95: number;
}

/** Result of an examination. */
export interface Examination {
  readonly here: About;
  readonly there: About;
  readonly latency: Latency;
  /** Questions that were sent, and those without an answer within 3 s. */
  readonly pings: number;
  readonly lost: number;
  /** How far the other clock is ahead of this one, in ms: right to half of the least latency, and to the clocks' 1 ms. */
  readonly clockOffset: number;
  /** Bytes per second as they came at the other end, and from there; absent if they were left out, or too few came to tell. */
  readonly throughputThere?: number;
  readonly throughputHere?: number;
}

/** One answered ping. */
interface Round {
  readonly ms: number;
  readonly offset: number;
}

const OPTION_NAMES: OptionNames<ExaminationOptions> = { pings: true, seconds: true, signal: true };

/**
 * Examines the line to a participant whose program calls {@linkcode answerDoctor}: latency, loss, clock offset, versions, throughput each way.
 *
 * Rejects with "disconnected" if it is not there; "timeout" if it does not answer; "aborted" by the signal; "invalid-argument"; "handler-exists"
 * while another examination runs on the same runtime.
 */
export async function examine(runtime: Runtime, identity: string, options: ExaminationOptions = {}): Promise<Examination> {
  const { pings = 50, seconds = 2, signal } = checked(options);
  const line = new Line(runtime, identity, signal);
  try {
    const there = readAbout(await line.ask({ ask: "about" }) ?? "");
    if (there === undefined) {
      throw new StreamError("timeout", `Cannot examine the line as "${identity}" does not answer: it must call answerDoctor`, {
        identity,
      });
    }
    const rounds = (await line.pingAll(pings)).filter((round) => round !== undefined);
    const times = rounds.map(({ ms }) => ms).sort((one, other) => one - other);
    const best = rounds.find(({ ms }) => ms === times[0]);
    if (best === undefined) {
      throw new StreamError("timeout", `Cannot examine the line as "${identity}" has answered none of ${pings} pings`, {
        identity,
      });
    }
    return {
      here: aboutThis(),
      there,
      latency: { least: best.ms, p50: percentile(times, 0.5), p95: percentile(times, 0.95) },
      pings,
      lost: pings - rounds.length,
      clockOffset: best.offset,
      ...rateAs("throughputThere", seconds === 0 ? undefined : await line.countThere(seconds)),
      ...rateAs("throughputHere", seconds === 0 ? undefined : await line.countHere(seconds)),
    };
  } finally {
    line.close();
  }
}

/** Questions and answers of one examination. */
class Line {
  readonly #runtime: Runtime;
  readonly #identity: string;
  readonly #signal: AbortSignal | undefined;
  readonly #texts = new Map<string, (text: string) => void>();
  readonly #streams = new Map<string, (reader: ByteStreamReader) => void>();

  constructor(runtime: Runtime, identity: string, signal: AbortSignal | undefined) {
    this.#runtime = runtime;
    this.#identity = identity;
    this.#signal = signal;
    runtime.registerTextStreamHandler(ANSWER_TOPIC, async (reader, sender) => {
      const answered = this.#texts.get(reader.info.replyToId ?? "");
      if (sender.transportIdentity !== identity || answered === undefined) return await reader.cancel("it was not asked for");
      answered(await reader.readAll());
    });
    runtime.registerByteStreamHandler(ANSWER_TOPIC, async (reader, sender) => {
      const answered = this.#streams.get(reader.info.attributes["replyToId"] ?? "");
      if (sender.transportIdentity !== identity || answered === undefined) return await reader.cancel("it was not asked for");
      answered(reader);
    });
  }

  close(): void {
    this.#runtime.unregisterTextStreamHandler(ANSWER_TOPIC);
    this.#runtime.unregisterByteStreamHandler(ANSWER_TOPIC);
  }

  /** Asks, and resolves with the answer; with undefined if none comes in time. */
  ask(question: Question): Promise<string | undefined> {
    return this.#ask(this.#texts, question);
  }

  /** Times pings, at intervals. A lost one is undefined. */
  async pingAll(count: number): Promise<(Round | undefined)[]> {
    const rounds: Promise<Round | undefined>[] = [];
    for (let n = 0; n < count; n++) {
      const round = this.#ping();
      rounds.push(round);
      await Promise.all([
        pause(PING_INTERVAL_MS, this.#signal),
        within(PING_WAIT_MS, round.catch(() => undefined), systemClock), // awaited below
      ]);
      this.#assertWanted();
    }
    return await Promise.all(rounds);
  }

  /** Sends bytes until the other end has counted them for some seconds. Resolves with its count; with undefined if none comes. */
  async countThere(seconds: number): Promise<ByteCount | undefined> {
    const streamId = randomId();
    const answer = new Promise<string>((resolve) => this.#texts.set(streamId, resolve));
    try {
      const attributes = { [SECONDS_ATTRIBUTE]: `${seconds}` };
      await writeUntilCancelled(await this.#runtime.streamBytes({ ...this.#to(), streamId, attributes, compress: false }));
      return readCount(await this.#inTime(answer) ?? "");
    } finally {
      this.#texts.delete(streamId);
    }
  }

  /** Asks for bytes, and counts them for some seconds. */
  async countHere(seconds: number): Promise<ByteCount> {
    const reader = await this.#ask(this.#streams, { ask: "bytes", seconds });
    if (reader === undefined) {
      const message = `Cannot measure the throughput as "${this.#identity}" sends no bytes: it may be examined by another`;
      throw new StreamError("timeout", message, { identity: this.#identity });
    }
    const cancel = (): void => void reader.cancel("the examination has ended").catch(() => {});
    const leave = this.#signal && onAbort(this.#signal, cancel);
    try {
      const count = await countFor(reader, seconds);
      this.#assertWanted();
      return count;
    } finally {
      leave?.();
    }
  }

  async #ping(): Promise<Round | undefined> {
    const [sent, sentAt] = [performance.now(), wallClock()];
    const times = readTimes(await this.ask({ ask: "time" }) ?? "");
    if (times === undefined) return undefined;
    const ms = performance.now() - sent;
    return { ms, offset: ((times.came - sentAt) + (times.went - (sentAt + ms))) / 2 };
  }

  async #ask<T>(waiting: Map<string, (answer: T) => void>, question: Question): Promise<T | undefined> {
    const streamId = randomId();
    const answer = new Promise<T>((resolve) => waiting.set(streamId, resolve));
    try {
      await this.#runtime.sendText(JSON.stringify(question), { ...this.#to(), streamId });
      return await this.#inTime(answer);
    } finally {
      waiting.delete(streamId);
    }
  }

  async #inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    const found = await within(ANSWER_MS, unlessAborted(answer, [this.#signal]), systemClock);
    this.#assertWanted();
    return found;
  }

  #to(): { topic: string; destinationIdentities: string[]; signal?: AbortSignal } {
    const signal = this.#signal === undefined ? {} : { signal: this.#signal };
    return { topic: ASK_TOPIC, destinationIdentities: [this.#identity], ...signal };
  }

  /** Throws "aborted" once the signal is. */
  #assertWanted(): void {
    if (this.#signal?.aborted !== true) return;
    const message = "Cannot go on with the examination as its signal was aborted";
    throw new StreamError("aborted", message, { cause: this.#signal.reason, identity: this.#identity });
  }
}

function checked(options: ExaminationOptions): ExaminationOptions {
  const action = "Cannot examine the line";
  if (!isRecord(options)) {
    throw new StreamError("invalid-argument", `${action} as the options must be an object: got ${String(options)}`);
  }
  assertKnownNames(options, OPTION_NAMES, action);
  const { pings = 1, seconds = 0 }: { pings?: unknown; seconds?: unknown } = options;
  if (typeof pings !== "number" || !Number.isSafeInteger(pings) || pings < 1 || pings > 10_000) {
    throw new StreamError("invalid-argument", `${action} as "pings" must be an integer from 1 to 10,000: got ${String(pings)}`);
  }
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= MOST_SECONDS)) {
    throw new StreamError(
      "invalid-argument",
      `${action} as "seconds" must be a number from 0 to ${MOST_SECONDS}: got ${String(seconds)}`,
    );
  }
  return options;
}

/** Value below which a share of sorted values lies, by the nearest rank; 0 of none. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Rate of a count, if it tells one: bytes came after the first part. */
function rateAs<Name extends string>(name: Name, count: ByteCount | undefined): { readonly [Key in Name]?: number } {
  if (count === undefined || count.bytes === 0 || count.ms <= 0) return {};
  return { [name]: count.bytes / count.ms * 1_000 } as { readonly [Key in Name]?: number };
}
