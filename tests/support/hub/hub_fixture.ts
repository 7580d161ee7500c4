// Runtimes on one hub for a test, in virtual or real time, and participants who send and note packets themselves.
import type { StreamError } from "../../../errors.ts";
import { createRuntime, type ErrorContext, type Runtime, type RuntimeOptions } from "../../../mod.ts";
import { createHub } from "../../../transports/hub/hub.ts";
import type { Hub, HubOptions } from "../../../transports/hub/options.ts";
import type { Codec } from "../../../workers/codec.ts";
import { createInlineCodec } from "../../../workers/node/job_platform.ts";
import type { CodecPool } from "../../../workers/pool/options.ts";
import { sharedCodecPool } from "../../../workers/pool/node_pool.ts";
import { describeWhenLate } from "../harness.ts";
import { assertNoLeaks, markLeaks } from "../leaks.ts";
import { RawParticipant } from "./raw_participant.ts";
import { pause } from "../waiting.ts";
import { VirtualTime } from "./virtual_time.ts";

/** Virtual ms that the slowest link of a test may take to deliver its last packets. */
const LAST_WORDS = 60_000;

/** Real ms that running jobs may take to release their segments. */
const RETURN_WAIT = 5_000;

/** One call of `onError`. */
export interface Told {
  error: StreamError;
  context: ErrorContext;
}

/** A runtime of a fixture. */
export interface Member {
  readonly runtime: Runtime;
  /** Errors that `onError` was called with. */
  readonly errors: StreamError[];
  readonly codec: Codec;
}

export interface HubFixtureOptions {
  /** In virtual time, codecs work on this thread, and time waits for them. In real time, runtimes use the shared pool. */
  readonly clock: "virtual" | "real";
  readonly hub?: Omit<HubOptions, "clock">;
  /** Options of every runtime. */
  readonly runtime?: Partial<RuntimeOptions>;
}

/** A hub whose participants leave when the test ends. It then throws if timers, listeners, segments or rejections are left. */
export class HubFixture implements AsyncDisposable {
  readonly hub: Hub;
  readonly #time: VirtualTime | undefined;
  readonly #options: Partial<RuntimeOptions>;
  readonly #hasLinks: boolean;
  readonly #runtimes: Runtime[] = [];
  readonly #raw: RawParticipant[] = [];
  readonly #told = new Map<string, Told[]>();
  readonly #codecs = new Set<Codec>();
  readonly #begun: number = markLeaks();
  readonly #unhandled: unknown[] = [];
  readonly #noteUnhandled = (error: unknown): void => void this.#unhandled.push(error);
  /** Number of running codec jobs. */
  #jobs = 0;

  constructor({ clock, hub = {}, runtime = {} }: HubFixtureOptions) {
    // Jobs on this thread take real time, in slices: virtual time must not run ahead of them, however busy the machine is.
    if (clock === "virtual") this.#time = new VirtualTime({ idle: () => this.hub.idle && this.#jobs === 0, turns: 12 });
    this.hub = createHub({ ...hub, ...this.#clock });
    this.#options = runtime;
    this.#hasLinks = hub.link !== undefined;
    describeWhenLate(() => this.#describe());
    process.on("unhandledRejection", this.#noteUnhandled);
    process.on("uncaughtException", this.#noteUnhandled);
  }

  /** Virtual time. Throws in a fixture with a real clock. */
  get time(): VirtualTime {
    if (this.#time === undefined) throw new Error("Expected a fixture in virtual time: clock is real");
    return this.#time;
  }

  /** Joins a runtime. In virtual time it is known to all participants when this resolves. */
  async join(identity: string, own: Partial<RuntimeOptions> = {}): Promise<Member> {
    const told: Told[] = [];
    const errors: StreamError[] = [];
    this.#told.set(identity, told);
    const options = { ...this.#options, ...own };
    const pool = options.pool ?? this.#defaultPool();
    const codec = pool === false ? createInlineCodec() : pool as Codec;
    this.#codecs.add(codec);
    const runtime = await createRuntime({
      transport: options.transport ?? this.hub.join(identity),
      onError: (error, context) => {
        errors.push(error);
        told.push({ error, context });
      },
      ...this.#clock,
      ...options,
      pool,
      limits: { unreadTimeout: Infinity, ...this.#options.limits, ...own.limits }, // many tests keep readers that nobody reads
    });
    this.#runtimes.push(runtime);
    await this.#time?.advance(0);
    return { runtime, errors, codec };
  }

  raw(identity: string): RawParticipant {
    const participant = new RawParticipant(this.hub.join(identity));
    this.#raw.push(participant);
    return participant;
  }

  /** Calls of a runtime's `onError` so far. */
  told(identity: string): Told[] {
    return this.#told.get(identity) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#settled(Promise.all(this.#runtimes.map((runtime) => runtime.close())));
    await this.#time?.advance(this.#hasLinks ? LAST_WORDS : 0); // a link has timers for the packets in flight
    await this.#settled(Promise.all(this.#raw.map(({ transport }) => transport.close())));
    process.off("unhandledRejection", this.#noteUnhandled);
    process.off("uncaughtException", this.#noteUnhandled);
    if (this.#unhandled.length > 0) throw new Error("Unhandled rejections or exceptions", { cause: this.#unhandled[0] });
    if (this.#time !== undefined && this.#time.pending > 0) {
      throw new Error(`${this.#time.pending} timers are left when all runtimes are closed`);
    }
    assertNoLeaks(this.#begun);
    for (const codec of this.#codecs) await this.#assertSegmentsReleased(codec);
  }

  get #clock(): { clock?: VirtualTime } {
    return this.#time === undefined ? {} : { clock: this.#time };
  }

  #defaultPool(): CodecPool {
    return this.#time === undefined ? sharedCodecPool() : this.#counted(createInlineCodec()) as CodecPool;
  }

  #settled<T>(work: Promise<T>): Promise<T> {
    return this.#time === undefined ? work : this.#time.run(work);
  }

  /** Virtual time has waited for all jobs; in real time a worker may still run one. */
  async #assertSegmentsReleased({ segments }: Codec): Promise<void> {
    const deadline = performance.now() + (this.#time === undefined ? RETURN_WAIT : 0);
    while (segments.inUse > 0) {
      if (performance.now() >= deadline) throw new Error(`${segments.inUse} bytes of segments are left in use`);
      await pause(5);
    }
  }

  /** State of the fixture, for the message of a test that takes too long. */
  #describe(): string {
    const time = this.#time === undefined ? "" : `Virtual time is ${this.#time.now()}, ${this.#time.pending} timers wait, `;
    return `${time}the hub is ${this.hub.idle ? "idle" : "at work"}, ${this.#jobs} jobs run, ` +
      `${this.#unhandled.length} rejections were not handled${this.#runtimes.map(describeRuntime).join("")}`;
  }

  #counted(codec: Codec): Codec {
    return new Proxy(codec, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(member, target, args);
          if (result instanceof Promise) {
            this.#jobs++;
            result.catch(() => undefined).finally(() => this.#jobs--);
          }
          return result;
        };
      },
    });
  }
}

/** A line for a runtime. */
export function describeRuntime({ identity, actor }: Runtime): string {
  const { value } = actor.getSnapshot() as { value: unknown };
  return `\n"${identity}" is ${JSON.stringify(value)}`;
}

/** Runs a test on a hub in virtual time. */
export async function inVirtualTime(
  body: (room: HubFixture) => Promise<void>,
  hub: Omit<HubOptions, "clock"> = {},
): Promise<void> {
  await inFixture(body, { clock: "virtual", hub });
}

/** Runs a test with Alice and Bob in virtual time. */
export async function inVirtualPair(
  body: (alice: Member, bob: Member, room: HubFixture) => Promise<void>,
  hub?: Omit<HubOptions, "clock">,
): Promise<void> {
  await inVirtualTime(async (room) => await body(await room.join("alice"), await room.join("bob"), room), hub);
}

/** Runs a test on a hub in real time, with worker threads. */
export async function inRealTime(
  body: (room: HubFixture) => Promise<void>,
  options: Partial<HubFixtureOptions> = {},
): Promise<void> {
  await inFixture(body, { clock: "real", ...options });
}

/** Runs a test with Alice and Bob, in real time unless `options` say otherwise. */
export async function inPair(
  body: (alice: Runtime, bob: Runtime, room: HubFixture) => Promise<void>,
  options: Partial<HubFixtureOptions> = {},
): Promise<void> {
  await inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const { runtime: bob } = await room.join("bob");
    await body(alice, bob, room);
  }, options);
}

async function inFixture(body: (room: HubFixture) => Promise<void>, options: HubFixtureOptions): Promise<void> {
  const room = new HubFixture(options);
  try {
    await body(room);
  } catch (error) {
    await room[Symbol.asyncDispose]().catch(() => {}); // the first failure is the one to read
    throw error;
  }
  await room[Symbol.asyncDispose]();
}
