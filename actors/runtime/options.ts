import type { InspectionEvent, Observer } from "xstate";
import { StreamError } from "../../errors.ts";
import type { Clock } from "../../common/clock.ts";
import type { Limits } from "../../protocol/limits.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import { show } from "../../protocol/options.ts";
import { isRecord } from "../../common/shapes.ts";
import type { Transport } from "../../transports/transport.ts";
import type { CodecPool } from "../../workers/pool/options.ts";

/** Stream and participant that an error is about. */
export interface ErrorContext {
  /** The stream. */
  streamId?: string;
  /** The stream's topic. */
  topic?: string;
  /** The participant at the other end. */
  identity?: string;
}

/** How a runtime is made. */
export interface RuntimeOptions {
  /** Transport, which the runtime closes with itself. */
  transport: Transport;
  /** Default: one pool shared by the process. `false`: no workers, time slices on this thread. */
  pool?: CodecPool | false;
  /** Limits that differ from `DEFAULT_LIMITS`. */
  limits?: Partial<Limits>;
  /**
   * Told of errors that no call can reject with: a handler's, a progress callback's, a stream that was sent by name and found no handler.
   * Without it each is a line on stderr, at most one for each code and second; an empty function silences them.
   */
  onError?: (error: StreamError, context: ErrorContext) => void;
  /** Told of everything that happens to every actor, as xstate's `createActor` takes it. What it throws goes to `onError`. */
  inspect?: ((event: InspectionEvent) => void) | Observer<InspectionEvent>;
  /** Drives every timer; default the system's. */
  clock?: Clock;
  /** Bytes of a chunk, 4 to 60,000. Default `STREAM_CHUNK_SIZE`; then a fast way in a room may take chunks of twice that. */
  chunkSize?: number;
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
};

/** Throws "invalid-argument" unless they are options of a runtime. */
export function assertRuntimeOptions(options: unknown): asserts options is RuntimeOptions {
  const action = "Cannot create the runtime";
  if (!isRecord(options)) throw new StreamError("invalid-argument", `${action} as the options are no object: ${show(options)}`);
  assertKnownNames(options, OPTION_NAMES, action);
  const { transport, pool, onError, inspect, clock } = options;
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
}

/** An object whose method `next`, if it has one, takes events. */
function isObserver(value: unknown): value is Observer<InspectionEvent> {
  return isRecord(value) &&
    ["next", "error", "complete"].every((name) => ["function", "undefined"].includes(typeof value[name])) &&
    ["next", "error", "complete"].some((name) => name in value);
}
