// millrace send: files, and stdin as one of them, to those who are named or to all.
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { ByteStreamInfo, SendFileOptions } from "millrace";
import type { Credentials } from "./credentials.ts";
import type { Delivery } from "./events.ts";
import { EXIT, Failure, toFailure } from "./failure.ts";
import type { Output } from "./output.ts";
import { bytesText, printableLine } from "./printable.ts";
import { inSession, type Session } from "./session.ts";
import type { Input, Surroundings } from "./surroundings.ts";

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

export async function send(
  task: SendTask,
  surroundings: Surroundings,
  credentials: Credentials,
  output: Output,
): Promise<number> {
  for (const file of task.files) await assertReadable(file);
  return await inSession(surroundings, credentials, output, {
    topic: task.topic,
  }, async (session) => {
    await session.attendance.expect(task.to, task.wait, session.signal);
    await output.showBars();
    const waiting = [...task.files];
    let failed = 0;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (
        let file = waiting.shift();
        file !== undefined && !session.signal.aborted;
        file = waiting.shift()
      ) {
        if (!await sendOne(file, task, session, surroundings.stdin)) failed++;
      }
    }));
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
    throw new Failure(
      "file-error",
      `Cannot send the file as ${why}: path is "${file}"`,
      { cause },
    );
  }
  throw new Failure(
    "file-error",
    `Cannot send the file as it is a folder: path is "${file}"`,
    {
      hint: "Pack it first: tar -c FOLDER | millrace send - --name FOLDER.tar …",
    },
  );
}

/** True if everybody who was to have it has it. */
async function sendOne(
  file: string,
  task: SendTask,
  session: Session,
  stdin: Input,
): Promise<boolean> {
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
  let sent = 0;
  try {
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of stdin as AsyncIterable<Uint8Array>) {
        sent += chunk.length;
        yield chunk;
      }
    };
    const info = file === STDIN ? await runtime.sendBytes(counted(), options) : await runtime.sendFile(file, options);
    transfer.end();
    return told(
      file,
      info,
      file === STDIN ? sent : info.size ?? 0,
      task.to,
      output,
    );
  } catch (error) {
    transfer.end();
    if (!signal.aborted) output.failure(about(name, error), { file });
    return false;
  }
}

function about(name: string, error: unknown): Failure {
  const { code, message, hint, cause } = toFailure(error);
  return new Failure(code, `Cannot send "${name}": ${message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

function told(
  file: string,
  info: ByteStreamInfo,
  bytes: number,
  to: readonly string[],
  output: Output,
): boolean {
  const receivers = deliveries(info, to);
  const { streamId, name } = info;
  const lines = receivers.map((delivery) => `${printableLine(name)} → ${describe(delivery, bytes)}`);
  const line = lines.length > 0 ? lines.join("\n") : `${printableLine(name)}: sent to everybody, and nobody confirmed it`;
  output.result(
    { event: "sent", file, streamId, name, bytes, receivers },
    line,
  );
  return receivers.every(({ error }) => error === undefined);
}

/** Of all who were named, and of those who were not and confirmed. */
function deliveries(
  { receipts = [] }: ByteStreamInfo,
  to: readonly string[],
): Delivery[] {
  const silent = to.filter((identity) => !receipts.some((receipt) => receipt.identity === identity));
  return [
    ...receipts.map((receipt) => ({ ...receipt })),
    ...silent.map((identity) => ({ identity })),
  ];
}

function describe({ identity, bytes, error }: Delivery, total: number): string {
  const who = printableLine(identity);
  if (error !== undefined) {
    return `${who}: ${error} after ${bytesText(bytes ?? 0)}`;
  }
  return bytes === undefined
    ? `${who}: sent, not confirmed (no Millrace runtime)`
    : `${who}: received ${bytesText(total)}, checked`;
}
