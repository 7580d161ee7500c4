// millrace chat: lines that are typed, or come by a pipe, are sent as texts; texts that come are shown.
import { createInterface, type Interface } from "node:readline";
import type { TextStreamReader } from "millrace";
import { EXIT, toFailure } from "../failure.ts";
import type { Output } from "../output/output.ts";
import { printableLine, printableText } from "../output/printable.ts";
import { inSession, type Invocation, type Session } from "../room/session.ts";
import type { CliEnvironment } from "../environment.ts";

/** Milliseconds for a receiver to take a text; a slower one does not keep the next line waiting. */
const PATIENCE = 5_000;

export interface ChatTask {
  readonly topic: string;
  readonly to: readonly string[];
  /** Seconds to wait for the receivers, where lines come by a pipe. */
  readonly wait: number;
}

export async function chat(task: ChatTask, invocation: Invocation): Promise<number> {
  return await inSession(invocation, { topic: task.topic, limits: { stallTimeout: PATIENCE } }, async (session) => {
    const { runtime, watcher, output, room } = session;
    watcher.onChange = (change, identity) => {
      output.notice(`${identity} ${change}`);
      output.event({ event: change, identity });
    };
    runtime.registerTextStreamHandler(task.topic, (reader, { identity }) => show(reader, identity, session));
    const here = watcher.participants().join(", ") || "nobody";
    output.notice(`In room "${room}" as "${runtime.identity}", topic "${task.topic}"; here: ${here}`);
    output.event({ event: "ready", room, identity: runtime.identity, topic: task.topic });
    return await talk(task, session, invocation.environment);
  });
}

async function talk(task: ChatTask, session: Session, environment: CliEnvironment): Promise<number> {
  const { signal, watcher, output } = session;
  signal.throwIfAborted(); // lines that are closed before they are iterated never end
  const { stdin, stdout } = environment;
  const terminal = stdin.isTTY === true && stdout.isTTY === true && !output.json;
  const screen = terminal ? { output: stdout, prompt: "> " } : {};
  const lines = createInterface({ input: stdin, crlfDelay: Infinity, terminal, ...screen });
  const close = (): void => lines.close();
  signal.addEventListener("abort", close);
  if (terminal) keepPrompt(lines, environment, output);
  let failed = 0;
  let expected: Promise<void> | undefined;
  try {
    for await (const line of lines) {
      if (signal.aborted) break;
      if (line.trim() !== "") {
        if (stdin.isTTY !== true) await (expected ??= watcher.expect({ identities: task.to, count: 1 }, task.wait, signal)); // who types sees who is there
        if (!await say(line, task, session)) failed++;
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

/** The prompt makes way for each line that is shown, and comes back with what was typed so far. */
function keepPrompt(lines: Interface, { stdout, interrupt }: CliEnvironment, output: Output): void {
  lines.on("SIGINT", interrupt); // a terminal in raw mode makes no signal of Ctrl-C
  output.around = (print) => {
    stdout.write("\r\x1b[K");
    print();
    lines.prompt(true);
  };
  lines.prompt();
}

/** Resolves when those who are to have it do: the room must not be left before. */
async function say(text: string, { topic, to }: ChatTask, { runtime, output, signal }: Session): Promise<boolean> {
  try {
    const destinations = to.length === 0 ? {} : { destinationIdentities: to };
    const { streamId, receipts = [] } = await runtime.sendText(text, { topic, confirm: true, signal, ...destinations });
    output.event({ event: "sent", streamId, text, receivers: receipts.map((receipt) => ({ ...receipt })) });
    const without = receipts.filter(({ error }) => error !== undefined);
    for (const { identity, error } of without) output.notice(`${identity} has not got it: ${error}`);
    return without.length === 0;
  } catch (error) {
    if (!signal.aborted) output.failure(toFailure(error));
    return false;
  }
}

async function show(reader: TextStreamReader, from: string, { output, signal }: Session): Promise<void> {
  try {
    const text = await reader.readAll({ signal });
    const { streamId, timestamp, attributes } = reader.info;
    output.event({ event: "message", from, streamId, text, timestamp, attributes });
    output.line(`${printableLine(from)}: ${printableText(text)}`);
  } catch (error) {
    if (!signal.aborted) output.notice(`A text of ${from} did not arrive: ${toFailure(error).message}`);
  }
}
