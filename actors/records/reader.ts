import { inBrackets, StreamError, type StreamErrorCode } from "../../errors.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import type { TextStreamInfo } from "../../protocol/info.ts";
import { assertReadOptions } from "../../protocol/options.ts";
import { issuesText, type SchemaResult, type StandardSchema } from "../../protocol/schema.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { HandlerOptions, StreamSender } from "../readers/handlers.ts";
import type { StreamReader } from "../readers/reader.ts";
import { END, TextPartsReader } from "../readers/text_parts.ts";
import { isTooLong, LineSplitter, MAX_LINE_BYTES } from "./lines.ts";

/** White space of JSON, and a byte order mark: a line of these holds no record. */
const BLANK = /^[\uFEFF\t\r ]*$/;

/**
 * Reader of an incoming record stream: a text stream of any LiveKit SDK, one JSON value a line. Iteration yields the values as they come.
 *
 * Fails as a {@linkcode TextStreamReader} does. A line that is no JSON, or does not match the schema, is "refused", and one over 1 MiB
 * "too-large". The message names the line and the path, `cause` has the schema's issues, and the sender is told the same. The last line
 * need not have an end, and blank lines are left out.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime, type StandardSchema } from "millrace";
 *
 * interface Step { tool: string }
 * const step: StandardSchema<Step> = { // or a schema of zod, valibot or arktype
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       typeof (value as Step | null)?.tool === "string"
 *         ? { value: value as Step }
 *         : { issues: [{ message: "must be a string", path: ["tool"] }] },
 *   },
 * };
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * const tools: string[] = [];
 * bob.registerRecordStreamHandler("steps", async (reader) => {
 *   for await (const { tool } of reader) tools.push(tool);
 * }, { schema: step });
 *
 * await alice.sendText('{"tool":"search"}\n{"tool":"answer"}', { topic: "steps", confirm: true });
 * if (tools.join() !== "search,answer") throw new Error("Two tools were expected");
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface RecordStreamReader<T = unknown> extends StreamReader<T> {
  /** Description of the stream, from its sender. */
  readonly info: TextStreamInfo;
  /** Resolves with all values. Rejects with "too-large" above `limits.readAllBytes`. */
  readAll(options?: { signal?: AbortSignal }): Promise<T[]>;
}

/** Handler of the record streams of a topic. A handler that throws or rejects cancels its stream. */
export type RecordStreamHandler<T = unknown> = (reader: RecordStreamReader<T>, sender: StreamSender) => void | Promise<void>;

/** Options of a handler of record streams. */
export interface RecordHandlerOptions<S extends StandardSchema = StandardSchema> extends HandlerOptions {
  /** Schema of each value. */
  schema?: S;
}

/** Reader of values, line by line. */
export class RecordReader<T> extends TextPartsReader<T> implements RecordStreamReader<T> {
  readonly #schema: StandardSchema | undefined;

  constructor(stream: IncomingStream, schema: StandardSchema | undefined) {
    super(stream);
    this.#schema = schema;
  }

  get info(): TextStreamInfo {
    return this.stream.description.info as TextStreamInfo;
  }

  async readAll(options: { signal?: AbortSignal } = {}): Promise<T[]> {
    assertReadOptions(options);
    return await this.consume(options.signal, async () => {
      this.assertGatherable(this.info.size ?? 0);
      const records: T[] = [];
      for await (const record of this.values()) {
        this.assertGatherable(this.stream.content.consumed);
        records.push(record);
      }
      return records;
    });
  }

  protected override async *values(): AsyncGenerator<T, void, undefined> {
    try {
      yield* this.#records();
    } catch (error) {
      throw this.failed(error);
    }
  }

  async *#records(): AsyncGenerator<T, void, undefined> {
    const splitter = new LineSplitter();
    let number = 0;
    for await (const part of this.parts(END)) {
      for (const line of part === END ? [splitter.end()] : splitter.push(part)) {
        number++;
        this.#assertShort(isTooLong(line), number);
        if (!BLANK.test(line)) yield await this.#record(line, number) as T;
        if (shouldYield()) await yieldToEventLoop();
      }
      this.#assertShort(splitter.isTooLong, number + 1);
    }
  }

  /** The value of a line, by the schema. */
  async #record(line: string, number: number): Promise<unknown> {
    let value: unknown;
    try {
      value = JSON.parse(number === 1 ? line.replace(/^\uFEFF/, "") : line);
    } catch (cause) {
      throw this.#fault("refused", `line ${number} must be JSON`, cause); // not the parser's message, which shows content
    }
    if (this.#schema === undefined) return value;
    let result: SchemaResult<unknown>;
    try {
      result = await this.#schema["~standard"].validate(value);
    } catch (cause) {
      throw this.#fault("cancelled", `its schema failed at line ${number}`, cause, inBrackets(cause));
    }
    const { issues } = result;
    if (issues !== undefined) throw this.#fault("refused", `line ${number} must match the schema: ${issuesText(issues)}`, issues);
    return result.value;
  }

  #assertShort(isLong: boolean, number: number): void {
    if (isLong) throw this.#fault("too-large", `line ${number} must be at most ${MAX_LINE_BYTES} bytes`, undefined);
  }

  /** Error of a line. The sender is told `why`, without the `detail`. */
  #fault(code: StreamErrorCode, why: string, cause: unknown, detail: string = ""): StreamError {
    const { streamId, from: identity } = this.stream;
    const message = `Cannot receive the stream as ${why}${detail}: stream id is "${streamId}"`;
    return new StreamError(code, message, { streamId, identity, reason: why, ...(cause === undefined ? {} : { cause }) });
  }
}
