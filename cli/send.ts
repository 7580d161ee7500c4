// millrace send: files, and stdin as one of them, to those who are named or to all.
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { ByteStreamInfo, SendFileOptions } from "millrace";
import type { Delivery } from "./events.ts";
import { EXIT, Failure, toFailure } from "./failure.ts";
import type { Output } from "./output.ts";
import { bytesText, printableLine } from "./printable.ts";
import { inSession, type Invocation, type Session } from "./session.ts";
import type { Input } from "./surroundings.ts";

/** Files under way at once: enough that a small one need not wait for a large one, few enough to see. */
const AT_ONCE = 4;

/** The file that stands for stdin. */
export const STDIN = "-";

export interface SendTask {
  readonly files: readonly string[];
  readonly to: readonly string[];
  readonly topic: string;
  readonly name?: string;
  readonly mime?: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Seconds to wait for the receivers. */
  readonly wait: number;
}

export async function send(task: SendTask, invocation: Invocation): Promise<number> {
  for (const file of task.files) await assertReadable(file);
  return await inSession(invocation, { topic: task.topic }, async (session) => {
    const { attendance, output, signal } = session;
    await attendance.expect(task.to, task.wait, signal);
    await output.showBars();
    const waiting = [...task.files];
    let failed = 0;
    const sendSome = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
        if (!await sendOne(file, task, session, invocation.surroundings.stdin)) failed++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
    return failed === 0 ? EXIT.ok : EXIT.transfer;
  });
}

/** Before anybody is made to wait for it. */
async function assertReadable(file: string): Promise<void> {
  if (file === STDIN) return;
  try {
    const found = await stat(file);
    if (!found.isDirectory()) return;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "it does not exist" : (cause as Error).message;
    throw new Failure("file-error", `Cannot send the file as ${why}: path is "${file}"`, { cause });
  }
  const hint = "Pack it first: tar -c FOLDER | millrace send - --name FOLDER.tar …";
  throw new Failure("file-error", `Cannot send the file as it is a folder: path is "${file}"`, { hint });
}

/** True if everybody who was to have it has it. */
async function sendOne(file: string, task: SendTask, session: Session, stdin: Input): Promise<boolean> {
  const { runtime, output, signal } = session;
  const name = task.name ?? (file === STDIN ? "stdin" : basename(file));
  const size = file === STDIN ? undefined : (await stat(file).catch(() => undefined))?.size;
  const transfer = output.transfer("send", name, size);
  const options: SendFileOptions = {
    topic: task.topic,
    attributes: { ...task.attributes },
    name,
    signal,
    onProgress: (progress) => transfer.progress(progress),
    ...(task.to.length === 0 ? {} : { destinationIdentities: task.to }),
    ...(task.mime === undefined ? {} : { mimeType: task.mime }),
  };
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stdin as AsyncIterable<Uint8Array>) {
      read += chunk.length;
      yield chunk;
    }
  }
  try {
    const info = file === STDIN ? await runtime.sendBytes(counted(), options) : await runtime.sendFile(file, options);
    transfer.end();
    return told(file, info, info.size ?? read, task.to, output);
  } catch (error) {
    transfer.end();
    if (!signal.aborted) output.failure(toFailure(error, `send "${name}"`), { file });
    return false;
  }
}

function told(file: string, info: ByteStreamInfo, bytes: number, to: readonly string[], output: Output): boolean {
  const receivers = deliveries(info, to);
  const { streamId, name } = info;
  const lines = receivers.map((delivery) => `${printableLine(name)} → ${describe(delivery, bytes)}`);
  output.event({ event: "sent", file, streamId, name, bytes, receivers });
  output.line(lines.length > 0 ? lines.join("\n") : `${printableLine(name)}: sent to everybody, and nobody confirmed it`);
  return receivers.every(({ error }) => error === undefined);
}

/** Of all who were named, and of those who were not and confirmed. */
function deliveries({ receipts = [] }: ByteStreamInfo, to: readonly string[]): Delivery[] {
  const silent = to.filter((identity) => !receipts.some((receipt) => receipt.identity === identity));
  return [...receipts.map((receipt) => ({ ...receipt })), ...silent.map((identity) => ({ identity }))];
}

function describe({ identity, bytes, error }: Delivery, total: number): string {
  const who = printableLine(identity);
  if (error !== undefined) return `${who}: ${error} after ${bytesText(bytes ?? 0)}`;
  if (bytes === undefined) return `${who}: sent, not confirmed (no Millrace runtime)`;
  return `${who}: received ${bytesText(total)}, checked`;
}
