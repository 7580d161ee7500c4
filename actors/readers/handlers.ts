import { StreamError } from "../../errors.ts";
import { LEAST_WINDOW } from "../../protocol/constants.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import { show } from "../../protocol/options.ts";
import { isCount, isRecord } from "../../common/shapes.ts";
import { isSchema, SCHEMA_SHAPE } from "../../protocol/schema.ts";
import type { IncomingStream } from "../incoming/stream.ts";
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

/** Names of options, for each use of a handler. */
const OPTION_NAMES = {
  "text stream": { window: true } satisfies OptionNames<HandlerOptions>,
  "byte stream": { window: true } satisfies OptionNames<HandlerOptions>,
  "record stream": { window: true, schema: true },
  request: {},
};

/** Use of a handler. Those of texts, records and requests share their topics, as all take text streams. */
export type HandlerUse = keyof typeof OPTION_NAMES;

/** Calls a handler with a reader of the stream. */
export type HandleStream = (stream: IncomingStream, sender: StreamSender) => void | Promise<void>;

export interface Registration {
  readonly use: HandlerUse;
  readonly handle: HandleStream;
  readonly window: number | undefined;
}

/** Handlers of one kind of stream, by topic. */
export class HandlerRegistry {
  readonly #registrations = new Map<string, Registration>();

  get(topic: string): Registration | undefined {
    return this.#registrations.get(topic);
  }

  /** Smallest window of a handler, in bytes; Infinity if no handler has one. */
  get smallestWindow(): number {
    let smallest = Infinity;
    for (const { window } of this.#registrations.values()) smallest = Math.min(smallest, window ?? Infinity);
    return smallest;
  }

  /** Adds a user's handler, which `handle` calls. */
  add(topic: string, use: HandlerUse, handler: unknown, handle: HandleStream, options: object = {}): Registration {
    const action = `Cannot register the ${use} handler`;
    assertTopic(topic, action);
    if (typeof handler !== "function") {
      throw new StreamError("invalid-argument", `${action} as it is not a function: ${show(handler)}`);
    }
    if (!isRecord(options)) throw new StreamError("invalid-argument", `${action} as its options are no object: ${show(options)}`);
    assertKnownNames(options, OPTION_NAMES[use], action);
    const { window, schema }: { window?: unknown; schema?: unknown } = options;
    if (window !== undefined && (!isCount(window) || window === 0)) {
      throw new StreamError("invalid-argument", `${action} as its window is not a positive count of bytes: ${show(window)}`);
    }
    if (schema !== undefined && !isSchema(schema)) {
      throw new StreamError("invalid-argument", `${action} as "schema" must be ${SCHEMA_SHAPE}: got ${show(schema)}`);
    }
    if (this.#registrations.has(topic)) {
      throw new StreamError("handler-exists", `${action} as the topic has one: topic is "${topic}"`);
    }
    const registration = { use, handle, window: window === undefined ? undefined : Math.max(window, LEAST_WINDOW) };
    this.#registrations.set(topic, registration);
    return registration;
  }

  /** Removes the topic's handler, if it has this use. */
  remove(topic: string, use: HandlerUse): void {
    assertTopic(topic, `Cannot unregister the ${use} handler`);
    if (this.#registrations.get(topic)?.use === use) this.#registrations.delete(topic);
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
