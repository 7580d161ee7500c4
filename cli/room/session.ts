import { createRuntime, type Limits, type Runtime, type RuntimeOptions } from "millrace";
import { answerDoctor } from "millrace/diagnostics";
import { ParticipantWatcher } from "./participant_watcher.ts";
import type { Credentials } from "./credentials.ts";
import { Failure, toFailure } from "../failure.ts";
import type { Output } from "../output/output.ts";
import type { CliEnvironment } from "../environment.ts";

/** Time to close the runtime after an interruption, in ms. */
const GOODBYE_TIMEOUT_MS = 700;

/** Default time between lines of progress, in ms. */
const PROGRESS_INTERVAL_MS = 5_000;

/** Participant in a room during a command. */
export interface Session {
  readonly room: string;
  readonly runtime: Runtime;
  readonly watcher: ParticipantWatcher;
  readonly output: Output;
  /** Signal that Ctrl-C, a lost connection and a closed stdout abort; its reason is the Failure that ends the command. */
  readonly signal: AbortSignal;
  /** Shows later transfers. */
  showProgress(): Promise<void>;
}

/** Environment, credentials and output of one run of a command. */
export interface Invocation {
  readonly environment: CliEnvironment;
  readonly credentials: Credentials;
  readonly output: Output;
}

/** Options of a session. */
export interface SessionOptions {
  /** Topic of the command; errors of other topics are ignored. */
  readonly topic: string;
  readonly limits?: Partial<Limits>;
}

/** Joins the room, does the work, and leaves the room in any case. Resolves with the work's result; rejects with a Failure. */
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
    watcher.onEnd = (cause) => ending.abort(connectionLost(cause));
    const onError: RuntimeOptions["onError"] = (error, about) => {
      if (about.topic === topic && !signal.aborted) output.notice(toFailure(error).message);
    };
    let closing: Promise<void> | undefined;
    try {
      const runtime = await createRuntime({ transport: watcher, limits, onError });
      try {
        answerDoctor(runtime);
        const showProgress = (): Promise<void> => output.showProgress(environment.progressInterval ?? PROGRESS_INTERVAL_MS);
        const result = await work({ room: credentials.room, runtime, watcher, output, signal, showProgress });
        signal.throwIfAborted();
        return result;
      } finally {
        watcher.onChange = () => {};
        closing = runtime.close();
        await (signal.aborted ? atMost(GOODBYE_TIMEOUT_MS, closing) : closing);
      }
    } finally {
      await leave(); // now at the latest the others see this participant leave
      await closing;
    }
  } catch (error) {
    throw toFailure(signal.aborted ? signal.reason : error); // after an abort all errors are its consequences
  } finally {
    environment.signal.removeEventListener("abort", interrupt);
    output.onClosed = () => {};
  }
}

/** Waits for the work, at most `ms`. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function connectionLost(cause: Error | undefined): Failure {
  const hint = "The server may have stopped, or somebody else has joined with the same --identity";
  return new Failure("disconnected", "Cannot go on as the connection to the room has ended", { cause, hint });
}
