// millrace chat: sends lines of stdin as texts, and shows received texts.
import { createInterface, type Interface } from "node:readline";
import type { TextStreamReader } from "millrace";
import { EXIT, toFailure } from "../failure.ts";
import type { Output } from "../output/output.ts";
import { printableLine, printableText } from "../output/printable.ts";
import { inSession, type Invocation, type Session } from "../room/session.ts";
import type { CliEnvironment } from "../environment.ts";

/** Time for a receiver to take a text, in ms; the next line waits no longer. */
const STALL_TIMEOUT_MS = 5_000;

/** Options of `millrace chat`. */
export interface ChatTask {
  readonly topic: string;
  readonly to: readonly string[];
  /** Time to wait for receivers of piped lines, in seconds. */
  readonly wait: number;
}

/** Runs `millrace chat`. Resolves with the exit code. */
export async function chat(task: ChatTask, invocation: Invocation): Promise<number> {
  return await inSession(invocation, { topic: task.topic, limits: { stallTimeout: STALL_TIMEOUT_MS } }, async (session) => {
    const { runtime, watcher, output, room } = session;
    watcher.onChange = (change, identity) => {
      output.notice(`${identity} ${change}`);
      output.event({ event: change, identity });
    };
    runtime.registerTextStreamHandler(task.topic, (reader, { identity }) => showText(reader, identity, session));
    const here = watcher.participants().join(", ") || "nobody";
    output.notice(`In room "${room}" as "${runtime.identity}", topic "${task.topic}"; here: ${here}`);
    output.event({ event: "ready", room, identity: runtime.identity, topic: task.topic });
    return await sendLines(task, session, invocation.environment);
  });
}

async function sendLines(task: ChatTask, session: Session, environment: CliEnvironment): Promise<number> {
  const { signal, watcher, output } = session;
  signal.throwIfAborted(); // an interface that is closed before its iteration never ends
  const { stdin, stdout } = environment;
  const terminal = stdin.isTTY === true && stdout.isTTY === true && !output.json;
  const screen = terminal ? { output: stdout, prompt: "> " } : {};
  const lines = createInterface({ input: stdin, crlfDelay: Infinity, terminal, ...screen });
  const close = (): void => lines.close();
  signal.addEventListener("abort", close);
  if (terminal) keepPrompt(lines, environment, output);
  let failed = 0;
  let ready: Promise<void> | undefined;
  try {
    for await (const line of lines) {
      if (signal.aborted) break;
      if (line.trim() !== "") {
        if (stdin.isTTY !== true) await (ready ??= watcher.waitFor({ identities: task.to, count: 1 }, task.wait, signal)); // a user at a terminal sees who is present
        if (!await sendLine(line, task, session)) failed++;
      }
      if (terminal) lines.prompt();
    }
    return failed === 0 ? EXIT.ok : EXIT.transfer;
  } finally {
    output.around = (print) => print();
    signal.removeEventListener("abort", close);
    lines.close();
    if (terminal) stdout.write("\n"); // after the prompt
  }
}

/** Hides the prompt for each printed line, and shows it again with the text typed so far. */
function keepPrompt(lines: Interface, { stdout, interrupt }: CliEnvironment, output: Output): void {
  lines.on("SIGINT", interrupt); // in raw mode Ctrl-C is no signal
  output.around = (print) => {
    stdout.write("\r\x1b[K");
    print();
    lines.prompt(true);
  };
  lines.prompt();
}

/** Sends a line and waits for receipts, so that the room is not left early. Resolves with whether all receivers have it. */
async function sendLine(text: string, { topic, to }: ChatTask, { runtime, output, signal }: Session): Promise<boolean> {
  try {
    const destinations = to.length === 0 ? {} : { destinationIdentities: to };
    const { streamId, receipts = [] } = await runtime.sendText(text, { topic, confirm: true, signal, ...destinations });
    output.event({ event: "sent", streamId, text, receivers: receipts.map((receipt) => ({ ...receipt })) });
    const failed = receipts.filter(({ error }) => error !== undefined);
    for (const { identity, error } of failed) output.notice(`${identity} has not got it: ${error}`);
    return failed.length === 0;
  } catch (error) {
    if (!signal.aborted) output.failure(toFailure(error));
    return false;
  }
}

async function showText(reader: TextStreamReader, from: string, { output, signal }: Session): Promise<void> {
  try {
    const text = await reader.readAll({ signal });
    const { streamId, timestamp, attributes } = reader.info;
    output.event({ event: "message", from, streamId, text, timestamp, attributes });
    output.line(`${printableLine(from)}: ${printableText(text)}`);
  } catch (error) {
    if (!signal.aborted) output.notice(`A text of ${from} did not arrive: ${toFailure(error).message}`);
  }
}
