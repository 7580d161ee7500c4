import { type ActorOptions, type AnyActorLogic, type AnyActorRef, createActor, type InspectionEvent } from "xstate";
import { inBrackets, StreamError } from "../../errors.ts";
import { type Clock, MAX_TIMER_DELAY_MS, nowOf, systemClock } from "../../protocol/clock.ts";
import { runningClock } from "../common/running_clock.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import { resolveLimits } from "../../protocol/limits.ts";
import {
  type ByteStreamOptions,
  resolveChunkSize,
  type SendBytesOptions,
  type SendFileOptions,
  type SendTextOptions,
  type TextStreamOptions,
} from "../../protocol/options.ts";
import type { Transport } from "../../transports/transport.ts";
import type { Codec } from "../../workers/codec.ts";
import type { FileAccess, StreamContext } from "../common/context.ts";
import { PacketScheduler } from "../common/packet_scheduler.ts";
import { tell } from "../common/callbacks.ts";
import { ErrorLog } from "./error_log.ts";
import { Peers } from "../peers/registry.ts";
import { IncomingStreamManager } from "./incoming_manager.ts";
import { type RuntimeActor, runtimeMachine } from "./machine.ts";
import type { ErrorContext, RuntimeOptions } from "./options.ts";
import { type ByteSource, openBytes, openText, sendBytes, sendFile, sendText } from "./send.ts";
import { OutgoingStreamManager } from "./outgoing_manager.ts";
import { indexTimers } from "./timer_index.ts";
import type { ByteStreamHandler, HandlerOptions, TextStreamHandler } from "./handlers.ts";
import type { ByteStreamWriter, TextStreamWriter } from "../writers/writer.ts";

/** Milliseconds that closing waits for a transport that takes nothing any more. */
const CLOSE_WAIT = 1_000;

/** xstate's `Clock`, which it does not export by name. */
type XstateClock = NonNullable<ActorOptions<AnyActorLogic>["clock"]>;

/**
 * A participant that sends and receives streams. Made by `createRuntime`.
 *
 * `destinationIdentities` names the receivers of a stream; without it, everybody in the room gets it.
 *
 * Sending calls reject with a StreamError: "invalid-argument" and "duplicate-stream" before anything is sent, "disconnected" if none of the
 * named is here, "aborted" by a signal, "transport"; once no receiver is left, with what the last of them ended with ("cancelled",
 * "refused", "too-large", "timeout", "disconnected" …). After `close` every call fails with "closed"; after the transport's end, with
 * "disconnected".
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerByteStreamHandler("samples", async (reader) => console.log(await reader.readAll()));
 *
 * const info = await alice.sendBytes(new Uint8Array(100_000), { topic: "samples", destinationIdentities: ["bob"] });
 * if (info.receipts?.[0]?.bytes !== 100_000) throw new Error("Bob has not all of it");
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface Runtime extends AsyncDisposable {
  /** Its identity, as the transport vouches for it. */
  readonly identity: string;
  /** The root actor: "open", "closing" or "closed"; the streams' actors are its children. */
  readonly actor: AnyActorRef;
  /** Opens a text stream, to be written part by part. Resolves when its header was handed to the transport. */
  streamText(options?: TextStreamOptions): Promise<TextStreamWriter>;
  /** Sends a text. Resolves when it was handed to the transport; with `confirm`, when receipts came. */
  sendText(text: string, options?: SendTextOptions): Promise<TextStreamInfo>;
  /** Opens a byte stream, to be written part by part. Resolves when its header was handed to the transport. */
  streamBytes(options?: ByteStreamOptions): Promise<ByteStreamWriter>;
  /**
   * Sends bytes, or all that a source yields. Resolves when receipts came, unless `confirm` is false. A source that fails: "aborted", with
   * `cause`.
   */
  sendBytes(data: ByteSource, options?: SendBytesOptions): Promise<ByteStreamInfo>;
  /**
   * Sends a file; workers read it. Resolves when receipts came, unless `confirm` is false. A file that cannot be read, or that changes
   * meanwhile: "file-error".
   */
  sendFile(path: string | URL, options?: SendFileOptions): Promise<ByteStreamInfo>;
  /** Calls the handler with each text stream of a topic. A second one for a topic: "handler-exists". */
  registerTextStreamHandler(topic: string, handler: TextStreamHandler, options?: HandlerOptions): void;
  /** Calls the handler with each byte stream of a topic. A second one for a topic: "handler-exists". */
  registerByteStreamHandler(topic: string, handler: ByteStreamHandler, options?: HandlerOptions): void;
  /** Streams that come from now on find no handler; those that have one keep it. */
  unregisterTextStreamHandler(topic: string): void;
  /** Streams that come from now on find no handler; those that have one keep it. */
  unregisterByteStreamHandler(topic: string): void;
  /**
   * Aborts open writers, ends open readers with "disconnected", says goodbye, closes the transport. When it resolves, nothing half is left of
   * what `saveTo` had begun. Idempotent.
   */
  close(): Promise<void>;
}

/** Layers that `mod.ts` gives to the runtime by value. */
export interface RuntimeParts {
  readonly codec: Codec;
  readonly files: FileAccess;
}

/** Starts a runtime. Public as `createRuntime`, with a codec of its options. */
export function startRuntime(options: RuntimeOptions, parts: RuntimeParts): Runtime {
  return new MillraceRuntime(options, parts);
}

class MillraceRuntime implements Runtime {
  readonly identity: string;
  readonly #actor: RuntimeActor;
  readonly #transport: Transport;
  readonly #clock: Required<Clock>;
  readonly #scheduler: PacketScheduler;
  readonly #peers: Peers;
  readonly #sending: OutgoingStreamManager;
  readonly #receiving: IncomingStreamManager;
  readonly #onError: NonNullable<RuntimeOptions["onError"]>;
  readonly #saves = new Set<Promise<unknown>>();
  readonly #forgetPool: () => void;
  /** Set once it is no longer open: what calls reject with. */
  #ended: (() => StreamError) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RuntimeOptions, { codec, files }: RuntimeParts) {
    const { transport, inspect } = options;
    const limits = resolveLimits(options.limits);
    const chunkSize = resolveChunkSize(options.chunkSize);
    this.identity = transport.identity;
    this.#transport = transport;
    this.#clock = options.clock === undefined ? runningClock(systemClock) : patient(options.clock);
    const log = new ErrorLog({ now: () => this.#clock.now() });
    this.#onError = options.onError ?? ((error, about) => log.note(error, about));
    this.#forgetPool = codec.onUnavailable?.((error) => this.#report(error, {})) ?? (() => {});
    const instance: string = crypto.randomUUID();
    this.#scheduler = new PacketScheduler(transport, this.#clock);
    const context: StreamContext = {
      clock: this.#clock,
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
      limits,
      instance,
      encodings: codec.encodings,
      report: (error, about) => this.#report(error, about),
      smallestWindow: () => this.#receiving.smallestWindow,
      openStreams: (of) => this.#receiving.openStreams(of),
      streamsRaised: (peer) => this.#sending.streamsRaised(peer),
      waitingFor: (credit) => this.#sending.waitingFor(credit),
      adopt: (peer, sequence) => this.#sending.adopt(peer, sequence),
    });
    this.#sending = new OutgoingStreamManager(context, this.#peers, transport, instance, () => this.#actor);
    this.#receiving = new IncomingStreamManager(context, this.#peers, transport, () => this.#actor);
    this.#actor = createActor(runtimeMachine, {
      clock: this.#clock,
      input: {
        identity: this.identity,
        peers: transport.participants(),
        shutDown: () => this.#shutDown("its runtime was closed"),
      },
      ...(inspect === undefined ? {} : { inspect: (event) => this.#inspected(inspect, event) }),
    });
    indexTimers(this.#actor.system);
    this.#actor.start();
    transport.open({
      packet: (packet, from) => {
        if (this.#ended === undefined) this.#receiving.receive(packet, from);
      },
      joined: (identity) => {
        this.#actor.send({ type: "peer.joined", identity });
        this.#peers.joined(identity);
      },
      left: (identity) => {
        this.#actor.send({ type: "peer.left", identity });
        this.#peers.left(identity);
      },
      registered: (kind, topic) => this.#receiving.transportRegistered(kind, topic),
      closed: (error) => this.#lost(error),
    });
    this.#peers.sendHellos();
  }

  get actor(): AnyActorRef {
    return this.#actor;
  }

  async streamText(options: TextStreamOptions = {}): Promise<TextStreamWriter> {
    this.#assertOpen("open a text stream");
    return await openText(this.#sending, options);
  }

  async sendText(text: string, options: SendTextOptions = {}): Promise<TextStreamInfo> {
    this.#assertOpen("send the text");
    return await sendText(this.#sending, text, options);
  }

  async streamBytes(options: ByteStreamOptions = {}): Promise<ByteStreamWriter> {
    this.#assertOpen("open a byte stream");
    return await openBytes(this.#sending, options);
  }

  async sendBytes(data: ByteSource, options: SendBytesOptions = {}): Promise<ByteStreamInfo> {
    this.#assertOpen("send the bytes");
    return await sendBytes(this.#sending, data, options);
  }

  async sendFile(path: string | URL, options: SendFileOptions = {}): Promise<ByteStreamInfo> {
    this.#assertOpen("send the file");
    return await sendFile(this.#sending, path, options);
  }

  registerTextStreamHandler(topic: string, handler: TextStreamHandler, options?: HandlerOptions): void {
    this.#assertOpen("register the text stream handler");
    this.#receiving.registerText(topic, handler, options);
  }

  registerByteStreamHandler(topic: string, handler: ByteStreamHandler, options?: HandlerOptions): void {
    this.#assertOpen("register the byte stream handler");
    this.#receiving.registerBytes(topic, handler, options);
  }

  unregisterTextStreamHandler(topic: string): void {
    this.#receiving.text.remove(topic);
  }

  unregisterByteStreamHandler(topic: string): void {
    this.#receiving.bytes.remove(topic);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#actor.send({ type: "close.requested" });
    const streams = this.#sending.open;
    this.#forgetPool();
    this.#shutDown("its runtime was closed");
    await this.#atMost(CLOSE_WAIT, Promise.allSettled([...streams.map((stream) => stream.pumped), ...this.#saves]));
    this.#peers.close();
    await this.#atMost(CLOSE_WAIT, this.#scheduler.flushed());
    await this.#atMost(CLOSE_WAIT, this.#transport.close());
    this.#actor.send({ type: "closed" });
  }

  /** The transport has ended. */
  #lost(cause: Error | undefined): void {
    this.#forgetPool();
    const ended = (): StreamError =>
      new StreamError(
        "disconnected",
        `Cannot go on as the transport has ended${inBrackets(cause)}: identity is "${this.identity}"`,
        { cause },
      );
    this.#ended ??= ended;
    this.#sending.close(ended, ended);
    this.#receiving.close("the transport has ended");
    this.#peers.close();
    this.#actor.send({ type: "closed" });
  }

  /** Ends all streams. */
  #shutDown(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = () => new StreamError("closed", `Cannot go on as the runtime is closed: identity is "${this.identity}"`);
    this.#sending.close(({ streamId }) =>
      new StreamError("aborted", `Cannot go on with the stream as ${why}: stream id is "${streamId}"`, { streamId })
    );
    this.#receiving.close(why);
  }

  #assertOpen(action: string): void {
    if (this.#ended === undefined) return;
    const { code, cause } = this.#ended();
    const state = code === "closed" ? "the runtime is closed" : `the transport has ended${inBrackets(cause)}`;
    throw new StreamError(code, `Cannot ${action} as ${state}: identity is "${this.identity}"`, { cause });
  }

  async #atMost(ms: number, work: Promise<unknown>): Promise<void> {
    let timer: unknown;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, ms);
    });
    try {
      await Promise.race([work, late]);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  #inspected(inspect: NonNullable<RuntimeOptions["inspect"]>, event: InspectionEvent): void {
    tell(() => typeof inspect === "function" ? inspect(event) : inspect.next?.(event), (error) => this.#report(error, {}));
  }

  /** Tells the user of an error; one that a callback of his makes of it has nowhere to go. */
  #report(error: unknown, about: ErrorContext): void {
    const { streamId, identity } = about;
    const known = error instanceof StreamError
      ? error
      : new StreamError("cancelled", `Cannot go on with the stream as a callback failed${inBrackets(error)}`, {
        cause: error,
        ...(streamId === undefined ? {} : { streamId }),
        ...(identity === undefined ? {} : { identity }),
      });
    tell(() => this.#onError(known, about), () => {}); // reporting its own failure would call it again
  }
}

/** Any clock, with a time, and without timers that it would take for due at once. */
function patient(clock: Clock | XstateClock): Required<Clock> {
  return {
    setTimeout: (fn, ms) => ms > MAX_TIMER_DELAY_MS ? undefined : clock.setTimeout(fn, ms),
    clearTimeout: (id) => {
      if (id !== undefined) clock.clearTimeout(id);
    },
    now: () => nowOf(clock as Clock),
  };
}
