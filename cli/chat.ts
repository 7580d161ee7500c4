// millrace chat: lines that are typed, or come by a pipe, are sent as texts; texts that come are shown.
import { createInterface, type Interface } from "node:readline";
import type { TextStreamReader } from "millrace";
import type { Credentials } from "./credentials.ts";
import { EXIT, toFailure } from "./failure.ts";
import type { Output } from "./output.ts";
import { printableLine, printableText } from "./printable.ts";
import { inSession, type Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";

/** Milliseconds for a text to be taken: who is slower does not keep the next line waiting. */
const PATIENCE = 5_000;

export interface ChatTask {
  readonly topic: string;
  readonly to: readonly string[];
  /** Seconds to wait for the receivers, where lines come by a pipe. */
  readonly wait: number;
}

export async function chat(
  task: ChatTask,
  surroundings: Surroundings,
  credentials: Credentials,
  output: Output,
): Promise<number> {
  const { stdin, stdout } = surroundings;
  const options = { topic: task.topic, limits: { stallTimeout: PATIENCE } };
  return await inSession(
    surroundings,
    credentials,
    output,
    options,
    async (session) => {
      const { runtime, attendance, signal, room } = session;
      attendance.onChange = (change, identity) => {
        output.notice(`${printableLine(identity)} ${change}`);
        if (output.json) output.result({ event: change, identity });
      };
      runtime.registerTextStreamHandler(
        task.topic,
        (reader, { identity }) => show(reader, identity, session),
      );
      output.notice(
        `In room "${room}" as "${runtime.identity}", topic "${task.topic}"; here: ${
          attendance.participants().map(printableLine).join(", ") || "nobody"
        }`,
      );
      if (output.json) {
        output.result({
          event: "ready",
          room,
          identity: runtime.identity,
          topic: task.topic,
        });
      }
      if (stdin.isTTY !== true) {
        await attendance.expect(
          task.to,
          task.wait,
          signal,
        );
      }
      const terminal = stdin.isTTY === true && stdout.isTTY === true &&
        !output.json;
      const lines = createInterface({
        input: stdin,
        crlfDelay: Infinity,
        terminal,
        ...(terminal ? { output: stdout, prompt: "> " } : {}),
      });
      if (terminal) keepPrompt(lines, surroundings, output);
      try {
        return await talk(lines, task, session);
      } finally {
        output.around = (print) => print();
        lines.close();
      }
    },
  );
}

/** The prompt makes way for each line that is shown, with what was typed so far. */
function keepPrompt(
  lines: Interface,
  { stdout, interrupt }: Surroundings,
  output: Output,
): void {
  lines.on("SIGINT", interrupt); // a terminal in raw mode makes no signal of Ctrl-C
  output.around = (print) => {
    stdout.write("\r\x1b[K");
    print();
    lines.prompt(true);
  };
}

async function talk(
  lines: Interface,
  task: ChatTask,
  session: Session,
): Promise<number> {
  const { signal } = session;
  const close = (): void => lines.close();
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  let failed = 0;
  try {
    if (lines.terminal) lines.prompt();
    for await (const line of lines) {
      if (signal.aborted) break;
      if (line.trim() !== "" && !await say(line, task, session)) failed++;
      if (lines.terminal) lines.prompt();
    }
    return failed === 0 ? EXIT.ok : EXIT.transfer;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** Resolves when those who are to have it do: the room must not be left before. */
async function say(
  text: string,
  { topic, to }: ChatTask,
  { runtime, output, signal }: Session,
): Promise<boolean> {
  try {
    const destinations = to.length === 0 ? {} : { destinationIdentities: to };
    const { streamId, receipts = [] } = await runtime.sendText(text, {
      topic,
      confirm: true,
      signal,
      ...destinations,
    });
    if (output.json) {
      output.result({
        event: "sent",
        streamId,
        text,
        receivers: receipts.map((receipt) => ({ ...receipt })),
      });
    }
    for (const { identity, error } of receipts) {
      if (error !== undefined) {
        output.notice(`${printableLine(identity)} has not got it: ${error}`);
      }
    }
    return receipts.every(({ error }) => error === undefined);
  } catch (error) {
    if (!signal.aborted) output.failure(toFailure(error));
    return false;
  }
}

async function show(
  reader: TextStreamReader,
  from: string,
  { output, signal }: Session,
): Promise<void> {
  try {
    const text = await reader.readAll({ signal });
    const { streamId, timestamp, attributes } = reader.info;
    output.result({
      event: "message",
      from,
      streamId,
      text,
      timestamp,
      attributes,
    }, `${printableLine(from)}: ${printableText(text)}`);
  } catch (error) {
    if (!signal.aborted) {
      output.notice(
        `A text of ${printableLine(from)} did not arrive: ${toFailure(error).message}`,
      );
    }
  }
}
