import type { AnyActorRef } from "xstate";
import { inBrackets, StreamError } from "../../errors.ts";
import { isThenable } from "../../common/realms.ts";
import type { TextStreamInfo } from "../../protocol/info.ts";
import type { CloseOptions } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";
import { issuesText, type SchemaResult, type StandardSchema } from "../../protocol/schema.ts";
import { reasonText, SOURCE_FAILED } from "../common/callbacks.ts";
import { settledOf, type Settling, type StreamWriter, type TextStreamWriter } from "../writers/writer.ts";
import { encodeLine } from "./lines.ts";

/**
 * Writer of an outgoing record stream: an ordinary text stream, one JSON value a line, which any LiveKit SDK reads by splitting lines.
 *
 * `write` sends each record at once. It rejects a value that has no JSON, or does not match the schema, with "invalid-argument". A line over
 * 1 MiB is "too-large". Nothing of such a value is sent, and the stream goes on. The value is checked as its receiver will
 * read it, after JSON: a `Date` is a string by then.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * const received: unknown[] = [];
 * bob.registerRecordStreamHandler("steps", async (reader) => {
 *   for await (const step of reader) received.push(step);
 * });
 *
 * const writer = await alice.streamRecords({ topic: "steps", confirm: true });
 * await writer.write({ tool: "search", query: "rooms" });
 * await writer.write({ tool: "answer" });
 * await writer.close();
 * if (received.length !== 2) throw new Error("Two records were expected");
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface RecordStreamWriter<T = unknown> extends StreamWriter<T> {
  /** Description of the stream; with `confirm`, its receipts once it has ended. */
  readonly info: TextStreamInfo;
}

/** Creates the writer of a record stream on that of a text stream. */
export function createRecordWriter<T>(text: TextStreamWriter, schema: StandardSchema | undefined): RecordStreamWriter<T> {
  return new RecordWriter<T>(text, schema);
}

class RecordWriter<T> implements RecordStreamWriter<T>, Settling {
  readonly #text: TextStreamWriter;
  readonly #schema: StandardSchema | undefined;
  #writable: WritableStream<T> | undefined;
  /** Last write that has begun, and the number of those that have not ended. */
  #last: Promise<void> = Promise.resolve();
  #pending = 0;
  #closing: Promise<void> | undefined;

  constructor(text: TextStreamWriter, schema: StandardSchema | undefined) {
    this.#text = text;
    this.#schema = schema;
  }

  get info(): TextStreamInfo {
    return this.#text.info;
  }

  get progress(): ProgressTracker {
    return this.#text.progress;
  }

  get actor(): AnyActorRef {
    return this.#text.actor;
  }

  get settled(): Promise<void> {
    return settledOf(this.#text);
  }

  get writable(): WritableStream<T> {
    return this.#writable ??= new WritableStream<T>({
      write: (value) => this.#writeOrAbort(value),
      close: () => this.close(),
      abort: (reason) => this.abort(reasonText(reason, SOURCE_FAILED)),
    });
  }

  async write(value: T): Promise<void> {
    const line = encodeLine(value); // within the call: the value may change afterwards
    const checked = this.#check(line);
    const write = (): Promise<void> => this.#text.write(`${line}\n`);
    if (this.#closing !== undefined) return await this.#closing.then(write); // rejects as a write after the end
    if (checked === undefined && this.#pending === 0) return await this.#track(write());
    checked?.catch(() => {}); // its failure is thrown in its turn
    return await this.#track(this.#last.then(() => checked).then(write)); // keeps the order
  }

  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#pending > 0) {
      this.#closing ??= this.#last;
      await this.#closing;
    }
    await this.#text.close(options);
  }

  abort(reason?: string): Promise<void> {
    return this.#text.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#text[Symbol.asyncDispose]();
  }

  /** Writes for the web stream. A failed write aborts the stream, as the web stream makes no further call. */
  async #writeOrAbort(value: T): Promise<void> {
    try {
      await this.write(value);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Throws, or rejects, unless a line's value matches the schema. Undefined if that is known at once. */
  #check(line: string): Promise<void> | undefined {
    if (this.#schema === undefined) return undefined;
    let result: SchemaResult<unknown> | PromiseLike<SchemaResult<unknown>>;
    try {
      result = this.#schema["~standard"].validate(JSON.parse(line));
    } catch (cause) {
      throw schemaFailed(cause);
    }
    if (!isThenable(result)) {
      assertMatches(result);
      return undefined;
    }
    return Promise.resolve(result).then(assertMatches, (cause: unknown) => {
      throw schemaFailed(cause);
    });
  }

  #track(step: Promise<void>): Promise<void> {
    this.#pending++;
    const ended = (): void => void this.#pending--;
    this.#last = step.then(ended, ended);
    return step;
  }
}

function assertMatches(result: SchemaResult<unknown>): void {
  const { issues } = result;
  if (issues === undefined) return;
  throw new StreamError("invalid-argument", `Cannot write the record as it must match the schema: ${issuesText(issues)}`, {
    cause: issues,
  });
}

function schemaFailed(cause: unknown): StreamError {
  return new StreamError("invalid-argument", `Cannot write the record as its schema failed${inBrackets(cause)}`, { cause });
}
