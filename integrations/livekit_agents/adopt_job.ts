import { StreamError } from "../../errors.ts";
import { isRecord } from "../../common/shapes.ts";
import { show } from "../../protocol/options.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "../../mod.ts";
import { livekit } from "../../transports/livekit/mod.ts";
import type { AgentJob, AgentRoom } from "./job.ts";

/** Options of {@linkcode adoptJob}: those of `createRuntime` without the transport. */
export type JobOptions = Omit<RuntimeOptions, "transport">;

/** Calls that a job must have. */
const CALLS = ["connect", "addShutdownCallback"] as const;

/**
 * Starts a runtime in the Room of a job of `@livekit/agents`, and connects the Room if the job has not. The Room stays the job's: its
 * session, tracks, RPCs and handlers are not touched.
 *
 * Agents disconnects the Room before it makes its shutdown callbacks, when the session is closed. The runtime is closed right before
 * that: its open streams end with "aborted" at their receivers, and its last packets leave. A transfer that must end whole is awaited by
 * the job's entry, for which agents waits 15 s.
 *
 * Rejects with "invalid-argument" if `job` is no job or an option is wrong; with "transport" in the console, where a job has no room, and
 * if the Room is adopted already.
 *
 * @example
 * ```ts no-run
 * import { defineAgent } from "@livekit/agents";
 * import { adoptJob } from "millrace/livekit-agents";
 *
 * export default defineAgent({
 *   entry: async (job) => {
 *     const runtime = await adoptJob(job);
 *     await runtime.sendFile("report.pdf", { topic: "reports", destinationIdentities: ["alice"] });
 *   },
 * });
 * ```
 */
export async function adoptJob(job: AgentJob, options: JobOptions = {}): Promise<Runtime> {
  assertJob(job);
  if (!isRecord(options) || "transport" in options) {
    throw new StreamError(
      "invalid-argument",
      `Cannot adopt the job as the options must be those of a runtime, without a transport: got ${show(options)}`,
    );
  }
  if (job.isFakeJob === true) {
    throw new StreamError("transport", "Cannot adopt the job as it must have a room: isFakeJob is true, as in the console");
  }
  const { room } = job;
  if (!room.isConnected) await job.connect();
  const transport = livekit(room);
  let runtime: Runtime;
  try {
    runtime = await createRuntime({ ...options, transport });
  } catch (error) {
    await transport.close();
    throw error;
  }
  closeBeforeRoom(room, runtime);
  job.addShutdownCallback(() => runtime.close()); // also if the Room has gone by itself
  return runtime;
}

/**
 * Closes a runtime before its Room is disconnected. Agents has no hook there: the Room's own call is the only one that comes after the
 * session's end and before the Room's.
 */
function closeBeforeRoom(room: AgentRoom, runtime: Runtime): void {
  const disconnect: unknown = Reflect.get(room, "disconnect");
  const value = async (...args: []): Promise<void> => {
    try {
      await runtime.close();
    } finally {
      await Reflect.apply(disconnect as AgentRoom["disconnect"], room, args);
    }
  };
  Object.defineProperty(room, "disconnect", { value, configurable: true, writable: true });
}

function assertJob(job: unknown): asserts job is AgentJob {
  const isJob = isRecord(job) && isRecord(job["room"]) && CALLS.every((name) => typeof job[name] === "function");
  if (isJob) return;
  throw new StreamError("invalid-argument", `Cannot adopt the job: expected a JobContext of @livekit/agents, got ${show(job)}`);
}
