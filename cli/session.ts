import { createRuntime, type Limits, type Runtime } from "millrace";
import { Attendance } from "./attendance.ts";
import type { Credentials } from "./credentials.ts";
import { Failure, toFailure } from "./failure.ts";
import type { Output } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

/** A participant in a room, for the time of a command. */
export interface Session {
  readonly room: string;
  readonly runtime: Runtime;
  readonly attendance: Attendance;
  readonly output: Output;
  /** Aborted by Ctrl-C, by the end of the connection, and when nobody reads stdout: its reason is the Failure to end with. */
  readonly signal: AbortSignal;
}

export interface SessionOptions {
  /** The topic that the command is about. */
  readonly topic: string;
  readonly limits?: Partial<Limits>;
}

/** Joins the room, does the work, leaves the room, whatever happens. Rejects with a Failure; returns what the work did. */
export async function inSession<T>(
  surroundings: Surroundings,
  credentials: Credentials,
  output: Output,
  { topic, limits = {} }: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const interrupt = (): void => ending.abort(surroundings.signal.reason);
  surroundings.signal.addEventListener("abort", interrupt);
  if (surroundings.signal.aborted) interrupt();
  output.onClosed = (failure) => ending.abort(failure);
  try {
    ending.signal.throwIfAborted();
    const { transport, leave } = await surroundings.connect(
      credentials,
      ending.signal,
    );
    try {
      const attendance = new Attendance(transport);
      attendance.onEnd = (cause) => ending.abort(lost(cause));
      const runtime = await createRuntime({
        transport: attendance,
        limits,
        onError: (error, context) => {
          if (context.topic === topic && !ending.signal.aborted) {
            output.notice(toFailure(error).message);
          }
        },
      });
      try {
        const result = await work({
          room: credentials.room,
          runtime,
          attendance,
          output,
          signal: ending.signal,
        });
        ending.signal.throwIfAborted();
        return result;
      } finally {
        attendance.onChange = () => {};
        await runtime.close();
      }
    } finally {
      await leave();
    }
  } catch (error) {
    // Whatever an ending brings about is a consequence of it.
    throw toFailure(ending.signal.aborted ? ending.signal.reason : error);
  } finally {
    surroundings.signal.removeEventListener("abort", interrupt);
    output.onClosed = () => {};
  }
}

function lost(cause: Error | undefined): Failure {
  return new Failure(
    "disconnected",
    "Cannot go on as the connection to the room has ended",
    {
      cause,
      hint: "The server may have stopped, or somebody else has joined with the same --identity",
    },
  );
}
