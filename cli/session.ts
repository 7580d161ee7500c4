import { createRuntime, type Limits, type Runtime, type RuntimeOptions } from "millrace";
import { Attendance } from "./attendance.ts";
import type { Credentials } from "./credentials.ts";
import { Failure, toFailure } from "./failure.ts";
import type { Output } from "./output.ts";
import { printableLine } from "./printable.ts";
import type { Surroundings } from "./surroundings.ts";

/** Milliseconds for saying goodbye stream by stream, of somebody who has no time. */
const GOODBYE = 700;

/** A participant in a room, for the time of a command. */
export interface Session {
  readonly room: string;
  readonly runtime: Runtime;
  readonly attendance: Attendance;
  readonly output: Output;
  /** Aborted by Ctrl-C, by the end of the connection, and when nobody reads stdout: its reason is the Failure to end with. */
  readonly signal: AbortSignal;
}

/** What a command is run with. */
export interface Invocation {
  readonly surroundings: Surroundings;
  readonly credentials: Credentials;
  readonly output: Output;
}

export interface SessionOptions {
  /** The topic that the command is about. */
  readonly topic: string;
  readonly limits?: Partial<Limits>;
}

/** Joins the room, does the work, leaves the room, whatever happens. Rejects with a Failure; returns what the work did. */
export async function inSession<T>(
  { surroundings, credentials, output }: Invocation,
  { topic, limits = {} }: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const { signal } = ending;
  const interrupt = (): void => ending.abort(surroundings.signal.reason);
  surroundings.signal.addEventListener("abort", interrupt);
  if (surroundings.signal.aborted) interrupt();
  output.onClosed = (failure) => ending.abort(failure);
  try {
    signal.throwIfAborted();
    const { transport, leave } = await surroundings.connect(credentials, signal);
    const attendance = new Attendance(transport);
    attendance.onEnd = (cause) => ending.abort(lost(cause));
    const onError: RuntimeOptions["onError"] = (error, about) => {
      if (about.topic === topic && !signal.aborted) output.notice(printableLine(toFailure(error).message));
    };
    let closing: Promise<void> | undefined;
    try {
      const runtime = await createRuntime({ transport: attendance, limits, onError });
      try {
        const result = await work({ room: credentials.room, runtime, attendance, output, signal });
        signal.throwIfAborted();
        return result;
      } finally {
        attendance.onChange = () => {};
        closing = runtime.close();
        await (signal.aborted ? atMost(GOODBYE, closing) : closing);
      }
    } finally {
      await leave(); // tells the others, at the latest
      await closing;
    }
  } catch (error) {
    throw toFailure(signal.aborted ? signal.reason : error); // whatever an ending brings about is a consequence of it
  } finally {
    surroundings.signal.removeEventListener("abort", interrupt);
    output.onClosed = () => {};
  }
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function lost(cause: Error | undefined): Failure {
  const hint = "The server may have stopped, or somebody else has joined with the same --identity";
  return new Failure("disconnected", "Cannot go on as the connection to the room has ended", { cause, hint });
}
