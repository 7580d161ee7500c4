import { StreamError } from "../../errors.ts";
import { LEAST_WINDOW } from "../../protocol/constants.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import { show } from "../../protocol/options.ts";
import { isCount, isRecord } from "../../common/shapes.ts";
import type { ByteStreamReader, TextStreamReader } from "./reader.ts";

/** Sender of a stream. */
export interface StreamSender {
  /** Identity given by the sender's option `senderIdentity`, if the transport carries that; otherwise `transportIdentity`. */
  identity: string;
  /** Identity that the transport verifies: check this one before you trust a sender. Runtimes always set it. */
  transportIdentity?: string;
}

/** Handler of the text streams of a topic. A handler that throws or rejects cancels its stream. */
export type TextStreamHandler = (reader: TextStreamReader, sender: StreamSender) => void | Promise<void>;

/** Handler of the byte streams of a topic. A handler that throws or rejects cancels its stream. */
export type ByteStreamHandler = (reader: ByteStreamReader, sender: StreamSender) => void | Promise<void>;

/** Options of a handler. */
export interface HandlerOptions {
  /** Most bytes of a stream that may wait for its reader. Default `limits.receiveWindow`; at least 60,000. */
  window?: number;
}

const HANDLER_OPTIONS: OptionNames<HandlerOptions> = { window: true };

export interface Registration<H> {
  readonly handler: H;
  readonly window: number | undefined;
}

/** Handlers of one kind of stream, by topic. */
export class HandlerRegistry<H> {
  readonly #kind: string;
  readonly #registrations = new Map<string, Registration<H>>();

  constructor(kind: "text" | "byte") {
    this.#kind = kind;
  }

  get(topic: string): Registration<H> | undefined {
    return this.#registrations.get(topic);
  }

  /** Smallest window of a handler, in bytes; Infinity if no handler has one. */
  get smallestWindow(): number {
    let smallest = Infinity;
    for (const { window } of this.#registrations.values()) smallest = Math.min(smallest, window ?? Infinity);
    return smallest;
  }

  add(topic: string, handler: H, options: HandlerOptions = {}): Registration<H> {
    const action = `Cannot register the ${this.#kind} stream handler`;
    assertTopic(topic, action);
    if (typeof handler !== "function") {
      throw new StreamError("invalid-argument", `${action} as it is not a function: ${show(handler)}`);
    }
    if (!isRecord(options)) throw new StreamError("invalid-argument", `${action} as its options are no object: ${show(options)}`);
    assertKnownNames(options, HANDLER_OPTIONS, action);
    const { window }: { window?: unknown } = options;
    if (window !== undefined && (!isCount(window) || window === 0)) {
      throw new StreamError("invalid-argument", `${action} as its window is not a positive count of bytes: ${show(window)}`);
    }
    if (this.#registrations.has(topic)) {
      throw new StreamError("handler-exists", `${action} as the topic has one: topic is "${topic}"`);
    }
    const registration = { handler, window: window === undefined ? undefined : Math.max(window, LEAST_WINDOW) };
    this.#registrations.set(topic, registration);
    return registration;
  }

  remove(topic: string): void {
    assertTopic(topic, `Cannot unregister the ${this.#kind} stream handler`);
    this.#registrations.delete(topic);
  }

  clear(): void {
    this.#registrations.clear();
  }
}

function assertTopic(topic: unknown, action: string): void {
  if (typeof topic !== "string") {
    throw new StreamError("invalid-argument", `${action} as the topic is not a string: ${show(topic)}`);
  }
}
