import { createRuntime, type Limits, type Runtime, type RuntimeOptions } from "millrace";
import { ParticipantWatcher } from "./participant_watcher.ts";
import type { Credentials } from "./credentials.ts";
import { Failure, toFailure } from "../failure.ts";
import type { Output } from "../output/output.ts";
import type { CliEnvironment } from "../environment.ts";

/** Milliseconds for saying goodbye stream by stream, of somebody who has no time. */
const GOODBYE = 700;

/** Milliseconds between lines of progress, where there are no bars. */
const PROGRESS_INTERVAL = 5_000;

/** A participant in a room, for the time of a command. */
export interface Session {
  readonly room: string;
  readonly runtime: Runtime;
  readonly watcher: ParticipantWatcher;
  readonly output: Output;
  /** Aborted by Ctrl-C, by the end of the connection, and when nobody reads stdout: its reason is the Failure to end with. */
  readonly signal: AbortSignal;
  /** Shows the transfers that begin from here on. */
  showProgress(): Promise<void>;
}

/** One run of a command: its environment, as whom it joins, and where it prints. */
export interface Invocation {
  readonly environment: CliEnvironment;
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
  { environment, credentials, output }: Invocation,
  { topic, limits = {} }: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const { signal } = ending;
  const interrupt = (): void => ending.abort(environment.signal.reason);
  environment.signal.addEventListener("abort", interrupt);
  if (environment.signal.aborted) interrupt();
  output.onClosed = (failure) => ending.abort(failure);
  try {
    signal.throwIfAborted();
    const { transport, leave } = await environment.connect(credentials, signal);
    const watcher = new ParticipantWatcher(transport);
    watcher.onEnd = (cause) => ending.abort(lost(cause));
    const onError: RuntimeOptions["onError"] = (error, about) => {
      if (about.topic === topic && !signal.aborted) output.notice(toFailure(error).message);
    };
    let closing: Promise<void> | undefined;
    try {
      const runtime = await createRuntime({ transport: watcher, limits, onError });
      try {
        const showProgress = (): Promise<void> => output.showProgress(environment.progressInterval ?? PROGRESS_INTERVAL);
        const result = await work({ room: credentials.room, runtime, watcher, output, signal, showProgress });
        signal.throwIfAborted();
        return result;
      } finally {
        watcher.onChange = () => {};
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
    environment.signal.removeEventListener("abort", interrupt);
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
