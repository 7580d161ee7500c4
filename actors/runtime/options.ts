import type { InspectionEvent, Observer } from "xstate";
import { StreamError } from "../../errors.ts";
import type { Clock } from "../../common/clock.ts";
import { MAX_CHUNK_SIZE, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { Limits } from "../../protocol/limits.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import { show } from "../../protocol/options.ts";
import { isCount, isRecord } from "../../common/shapes.ts";
import type { Transport } from "../../transports/transport.ts";
import type { CodecPool } from "../../workers/pool/options.ts";

/** Stream and participant of an error. */
export interface ErrorContext {
  /** Id of the stream. */
  streamId?: string;
  /** Topic of the stream. */
  topic?: string;
  /** Identity of the participant at the other end. */
  identity?: string;
}

/** Options of a runtime. */
export interface RuntimeOptions {
  /** Transport, which the runtime closes with itself. */
  transport: Transport;
  /** Pool of worker threads; default one pool per process. `false` does all work on this thread, in time slices. */
  pool?: CodecPool | false;
  /** Limits that differ from `DEFAULT_LIMITS`. */
  limits?: Partial<Limits>;
  /**
   * Called with errors that no call can reject with: of handlers, of progress callbacks, of targeted streams without a handler. The default
   * writes a line to stderr, at most one per code and second. An empty function silences these errors.
   */
  onError?: (error: StreamError, context: ErrorContext) => void;
  /** Inspector of every actor, as for xstate's `createActor`. Errors of the inspector go to `onError`. */
  inspect?: ((event: InspectionEvent) => void) | Observer<InspectionEvent>;
  /** Clock of every timer; default the system's. */
  clock?: Clock;
  /** Size of a chunk, 4 to 60,000 bytes. Default `STREAM_CHUNK_SIZE`, and up to twice that on a fast link in a room. */
  chunkSize?: number;
  /** Whether messages of Node's `diagnostics_channel` carry identities, topics and reasons. Default false. */
  diagnosticNames?: boolean;
}

/** Every name in {@linkcode RuntimeOptions}. */
const OPTION_NAMES: OptionNames<RuntimeOptions> = {
  transport: true,
  pool: true,
  limits: true,
  onError: true,
  inspect: true,
  clock: true,
  chunkSize: true,
  diagnosticNames: true,
};

/** Throws "invalid-argument" unless the value is valid as options of a runtime. */
export function assertRuntimeOptions(options: unknown): asserts options is RuntimeOptions {
  const action = "Cannot create the runtime";
  if (!isRecord(options)) throw new StreamError("invalid-argument", `${action} as the options are no object: ${show(options)}`);
  assertKnownNames(options, OPTION_NAMES, action);
  const { transport, pool, onError, inspect, clock, diagnosticNames } = options;
  if (!isRecord(transport) || typeof transport["send"] !== "function" || typeof transport["open"] !== "function") {
    throw new StreamError("invalid-argument", `${action} as "transport" is no transport: ${show(transport)}`);
  }
  if (pool !== undefined && pool !== false && !(isRecord(pool) && typeof pool["slice"] === "function")) {
    throw new StreamError("invalid-argument", `${action} as "pool" is neither a codec pool nor false: ${show(pool)}`);
  }
  if (onError !== undefined && typeof onError !== "function") {
    throw new StreamError("invalid-argument", `${action} as "onError" is not a function: ${show(onError)}`);
  }
  if (inspect !== undefined && typeof inspect !== "function" && !isObserver(inspect)) {
    throw new StreamError("invalid-argument", `${action} as "inspect" is neither a function nor an observer: ${show(inspect)}`);
  }
  if (clock !== undefined && !(isRecord(clock) && typeof clock["setTimeout"] === "function")) {
    throw new StreamError("invalid-argument", `${action} as "clock" is no clock: ${show(clock)}`);
  }
  if (diagnosticNames !== undefined && typeof diagnosticNames !== "boolean") {
    throw new StreamError(
      "invalid-argument",
      `${action} as "diagnosticNames" is neither true nor false: ${show(diagnosticNames)}`,
    );
  }
}

/** Checks a chunk size. Default: LiveKit's own. */
export function resolveChunkSize(chunkSize: number = STREAM_CHUNK_SIZE): number {
  if (isCount(chunkSize) && chunkSize >= 4 && chunkSize <= MAX_CHUNK_SIZE) return chunkSize; // 4: one code point of UTF-8 must fit
  throw new StreamError(
    "invalid-argument",
    `Cannot create the runtime as the chunk size must be 4 to ${MAX_CHUNK_SIZE} bytes: got ${show(chunkSize)}`,
  );
}

/** Whether a value has only functions as `next`, `error` and `complete`, and at least one of these names. */
function isObserver(value: unknown): value is Observer<InspectionEvent> {
  return isRecord(value) &&
    ["next", "error", "complete"].every((name) => ["function", "undefined"].includes(typeof value[name])) &&
    ["next", "error", "complete"].some((name) => name in value);
}
