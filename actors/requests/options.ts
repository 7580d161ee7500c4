import { StreamError } from "../../errors.ts";
import { assertNamedOptions, assertTextSource, show, type StreamOptions } from "../../protocol/options.ts";
import { isSchema, SCHEMA_SHAPE, type StandardSchema } from "../../protocol/schema.ts";
import { isTextInParts } from "../writers/sources.ts";
import type { ByteStreamReader, TextStreamReader } from "../readers/reader.ts";
import type { RecordStreamReader } from "../records/reader.ts";

/** Time for a reply to begin, in ms, unless the request says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Kinds of replies. */
const REPLY_KINDS = ["text", "records", "bytes"] as const;

/** Kind of a reply. */
export type ReplyKind = typeof REPLY_KINDS[number];

/** Reader of a reply. */
export type ReplyReader = TextStreamReader | ByteStreamReader | RecordStreamReader;

/** Options of a request. */
export interface RequestOptions<S extends StandardSchema = StandardSchema>
  extends Pick<StreamOptions, "attributes" | "signal" | "streamId"> {
  /** Time for the reply to begin, in ms; then "timeout". Default 30,000; `Infinity` waits for ever. */
  timeout?: number;
  /** Kind of the reply; another kind is "refused". Default: the reader is of the kind that comes, text or bytes. */
  reply?: ReplyKind;
  /** Schema of each value, for a reply of records. */
  schema?: S;
}

/** Throws "invalid-argument" unless the values are those of a request. */
export function assertRequest(identity: unknown, topic: unknown, body: unknown, options: RequestOptions): void {
  const action = "send the request";
  for (
    const [name, value, isRight, shape] of [
      ["identity", identity, typeof identity === "string" && identity !== "", "a non-empty string"],
      ["topic", topic, typeof topic === "string", "a string"],
    ] as const
  ) {
    if (!isRight) {
      throw new StreamError("invalid-argument", `Cannot ${action} as "${name}" must be ${shape}: got ${show(value)}`);
    }
  }
  if (!isTextInParts(body)) assertTextSource(body);
  assertNamedOptions(
    options,
    {
      timeout: [(value) => typeof value === "number" && value > 0, "a positive number of milliseconds"],
      reply: [(value) => (REPLY_KINDS as readonly unknown[]).includes(value), REPLY_KINDS.join(", ")],
      schema: [isSchema, SCHEMA_SHAPE],
    },
    ["attributes", "signal", "streamId"],
    action,
  );
  if (options.schema !== undefined && options.reply !== "records") {
    throw new StreamError("invalid-argument", `Cannot ${action} as "schema" needs the option "reply" to be "records"`);
  }
}
