import { type ActorOptions, type AnyActorLogic, type AnyActorRef, createActor, type InspectionEvent } from "xstate";
import { inBrackets, StreamError } from "../../errors.ts";
import { randomId } from "../../common/platform.ts";
import { type Clock, MAX_TIMER_DELAY_MS, nowOf, systemClock, within } from "../../common/clock.ts";
import { runningClock } from "../common/running_clock.ts";
import { resolveLimits } from "../../protocol/limits.ts";
import type { SharingEvents, Transport } from "../../transports/transport.ts";
import type { Codec } from "../../workers/codec.ts";
import type { FileAccess } from "../../files/file_access.ts";
import type { StreamContext } from "../common/context.ts";
import { ActorIds } from "../common/actor_ids.ts";
import { Deadlines } from "../common/deadlines.ts";
import type { ActorPlace } from "../common/stream_actor.ts";
import { PacketScheduler } from "../common/packet_scheduler.ts";
import { tell } from "../common/callbacks.ts";
import { ErrorLog } from "./error_log.ts";
import { onInspector } from "./inspection.ts";
import { Peers } from "../peers/registry.ts";
import { IncomingStreamManager } from "./incoming_manager.ts";
import { type RuntimeActor, runtimeMachine } from "./machine.ts";
import { type ErrorContext, resolveChunkSize, type RuntimeOptions } from "./options.ts";
import type { RuntimeStats } from "../stats/stats.ts";
import { RuntimeWatch } from "../stats/watch.ts";
import { Requests } from "../requests/requests.ts";
import type { Runtime } from "./runtime.ts";
import { RuntimeCalls } from "./runtime_calls.ts";
import { OutgoingStreamManager } from "./outgoing_manager.ts";

/** Longest wait of `close` for a transport that hangs, in ms. */
const CLOSE_WAIT = 1_000;

/** xstate's `Clock`, which is not exported by name. */
type XstateClock = NonNullable<ActorOptions<AnyActorLogic>["clock"]>;

/** Codec and file access, which `mod.ts` injects. */
export interface RuntimeParts {
  readonly codec: Codec;
  readonly files: FileAccess;
}

/** Starts a runtime. Exported as `createRuntime`, which chooses the codec. */
export function startRuntime(options: RuntimeOptions, parts: RuntimeParts): Runtime {
  return new MillraceRuntime(options, parts);
}

class MillraceRuntime extends RuntimeCalls implements Runtime {
  readonly identity: string;
  readonly #actor: RuntimeActor;
  readonly #transport: Transport;
  readonly #clock: Required<Clock>;
  readonly #deadlines: Deadlines;
  readonly #scheduler: PacketScheduler;
  readonly #peers: Peers;
  protected readonly sending: OutgoingStreamManager;
  protected readonly receiving: IncomingStreamManager;
  readonly #watch: RuntimeWatch;
  protected readonly requests: Requests;
  readonly #onError: NonNullable<RuntimeOptions["onError"]>;
  readonly #saves = new Set<Promise<unknown>>();
  readonly #forgetPool: () => void;
  /** Whether an inspector watches the actors. */
  #isInspected: boolean;
  /** Creates the error of calls on an ended runtime; undefined while the runtime is open. */
  #ended: (() => StreamError) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RuntimeOptions, { codec, files }: RuntimeParts) {
    super();
    const { transport, inspect } = options;
    this.#isInspected = inspect !== undefined;
    const limits = resolveLimits(options.limits);
    const chunkSize = resolveChunkSize(options.chunkSize);
    this.identity = transport.identity;
    this.#transport = transport;
    this.#clock = options.clock === undefined ? runningClock(systemClock) : patient(options.clock);
    const log = new ErrorLog({ now: () => this.#clock.now() });
    this.#onError = options.onError ?? ((error, about) => log.note(error, about));
    this.#forgetPool = codec.onUnavailable?.((error) => this.#report(error, {})) ?? (() => {});
    const { identity } = this;
    this.#watch = new RuntimeWatch({
      identity,
      id: randomId(),
      clock: this.#clock,
      codec,
      names: options.diagnosticNames === true,
    });
    this.#deadlines = new Deadlines(this.#clock);
    this.#scheduler = new PacketScheduler(transport, this.#clock);
    const context: StreamContext = {
      clock: this.#clock,
      deadlines: this.#deadlines,
      limits,
      codec,
      files,
      chunkSize,
      largestChunk: options.chunkSize === undefined ? Math.max(chunkSize, transport.largestChunk ?? 0) : chunkSize,
      saves: this.#saves,
      scheduler: this.#scheduler,
      report: (error, about) => this.#report(error, about),
    };
    this.#peers = new Peers({
      transport,
      scheduler: this.#scheduler,
      clock: this.#clock,
      deadlines: this.#deadlines,
      limits,
      encodings: codec.encodings,
      report: (error, about) => this.#report(error, about),
      smallestWindow: () => this.receiving.smallestWindow,
      openStreams: (of) => this.receiving.openStreams(of),
      streamsRaised: (peer) => this.sending.streamsRaised(peer),
      sessionEnded: ({ identity }) => this.requests.left(identity),
      waitingFor: (credit) => this.sending.waitingFor(credit),
      adopt: (peer, sequence) => this.sending.adopt(peer, sequence),
    });
    this.sending = new OutgoingStreamManager(context, this.#peers, transport, this.#placeOf("out"), this.#watch);
    this.requests = new Requests({
      calls: this,
      clock: this.#clock,
      isMillrace: (identity) => this.#peers.find(identity)?.isMillrace === true,
      report: (error, about) => this.#report(error, about),
    });
    this.receiving = new IncomingStreamManager(
      context,
      this.#peers,
      transport,
      this.#placeOf("in"),
      this.#watch,
      (stream) => this.requests.handlerOf(stream),
    );
    this.#actor = createActor(runtimeMachine, {
      clock: this.#clock,
      input: {
        identity: this.identity,
        peers: transport.participants(),
        shutDown: () => this.#shutDown("its runtime was closed"),
      },
      ...(inspect === undefined ? {} : { inspect: (event) => this.#inspected(inspect, event) }),
    });
    onInspector(this.#actor, () => this.#showStreams());
    this.#actor.start();
    const events: SharingEvents = {
      packet: (packet, from) => {
        if (this.#ended === undefined) this.receiving.receive(packet, from);
      },
      shared: (frame, from) => {
        if (this.#ended === undefined) this.receiving.receiveShared(frame, from);
      },
      joined: (identity) => {
        this.#actor.send({ type: "peer.joined", identity });
        this.#watch.joined(identity);
        this.#peers.joined(identity);
      },
      left: (identity) => {
        this.#actor.send({ type: "peer.left", identity });
        this.#watch.left(identity);
        this.#peers.left(identity);
      },
      renewed: () => {
        this.#scheduler.dropUrgent(new StreamError("disconnected", "Cannot send as the connection is a new one"));
        this.#peers.renew();
      },
      registered: (kind, topic) => this.receiving.transportRegistered(kind, topic),
      closed: (error) => this.#lost(error),
    };
    transport.open(events);
    for (const present of transport.participants()) this.#watch.joined(present);
    this.#peers.sendHellos();
  }

  get actor(): AnyActorRef {
    return this.#actor;
  }

  stats(): RuntimeStats {
    const { value: state } = this.#actor.getSnapshot();
    return this.#watch.snapshot({ state, peers: this.#peers.all, outgoing: this.sending.open, incoming: this.receiving.open });
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#tell({ type: "close.requested" });
    const streams = this.sending.open;
    this.#forgetPool();
    this.#shutDown("its runtime was closed");
    await within(CLOSE_WAIT, Promise.allSettled([...streams.map((stream) => stream.pumped), ...this.#saves]), this.#clock);
    this.#peers.close();
    this.#deadlines.close();
    this.#watch.close();
    await within(CLOSE_WAIT, this.#scheduler.flushed(), this.#clock);
    await within(CLOSE_WAIT, this.#transport.close(), this.#clock);
    this.#tell({ type: "closed" });
  }

  /** Ends the runtime, as the transport has ended. */
  #lost(cause: Error | undefined): void {
    this.#forgetPool();
    const ended = (): StreamError =>
      new StreamError(
        "disconnected",
        `Cannot go on as the transport has ended${inBrackets(cause)}: identity is "${this.identity}"`,
        { cause },
      );
    this.#ended ??= ended;
    this.requests.close(ended);
    this.sending.close(ended, ended);
    this.receiving.close("the transport has ended");
    this.#peers.close();
    this.#deadlines.close();
    this.#watch.close();
    this.#tell({ type: "closed" });
  }

  /** Sends an event to the root actor, unless it has ended: with the transport, or by an event of the user's. */
  #tell(event: { type: "close.requested" | "closed" }): void {
    if (this.#actor.getSnapshot().status === "active") this.#actor.send(event);
  }

  /** Ends all streams. */
  #shutDown(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = () => new StreamError("closed", `Cannot go on as the runtime is closed: identity is "${this.identity}"`);
    this.requests.close(this.#ended);
    this.sending.close(({ streamId }) =>
      new StreamError("aborted", `Cannot go on with the stream as ${why}: stream id is "${streamId}"`, { streamId })
    );
    this.receiving.close(why);
  }

  protected override assertOpen(action: string): void {
    if (this.#ended === undefined) return;
    const { code, cause } = this.#ended();
    const state = code === "closed" ? "the runtime is closed" : `the transport has ended${inBrackets(cause)}`;
    throw new StreamError(code, `Cannot ${action} as ${state}: identity is "${this.identity}"`, { cause });
  }

  #placeOf(prefix: string): ActorPlace {
    const ids = new ActorIds(prefix);
    return { parent: () => this.#actor, isInspected: () => this.#isInspected, ids, deadlines: this.#deadlines };
  }

  /** Starts the actors of all streams, as an inspector was added. */
  #showStreams(): void {
    this.#isInspected = true;
    for (const { actor } of [...this.sending.open, ...this.receiving.open]) void actor.ref;
  }

  #inspected(inspect: NonNullable<RuntimeOptions["inspect"]>, event: InspectionEvent): void {
    tell(() => typeof inspect === "function" ? inspect(event) : inspect.next?.(event), (error) => this.#report(error, {}));
  }

  /** Calls `onError`. Ignores an error of that callback. */
  #report(error: unknown, about: ErrorContext): void {
    const { streamId, identity } = about;
    const known = error instanceof StreamError
      ? error
      : new StreamError("cancelled", `Cannot go on with the stream as a callback failed${inBrackets(error)}`, {
        cause: error,
        ...(streamId === undefined ? {} : { streamId }),
        ...(identity === undefined ? {} : { identity }),
      });
    tell(() => this.#onError(known, about), () => {}); // its own failure is not reported
  }
}

/** Adds `now` to a user's clock, and ignores delays above MAX_TIMER_DELAY_MS, which would fire at once. */
function patient(clock: Clock | XstateClock): Required<Clock> {
  return {
    setTimeout: (fn, ms) => ms > MAX_TIMER_DELAY_MS ? undefined : clock.setTimeout(fn, ms),
    clearTimeout: (id) => {
      if (id !== undefined) clock.clearTimeout(id);
    },
    now: () => nowOf(clock as Clock),
  };
}
