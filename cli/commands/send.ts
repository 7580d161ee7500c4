// millrace send: sends files, folders and stdin to named receivers or to everybody.
import type { ByteStreamInfo, SendFileOptions } from "millrace";
import type { CliInputStream } from "../environment.ts";
import type { Delivery } from "../output/events.ts";
import { EXIT, toFailure } from "../failure.ts";
import type { Output } from "../output/output.ts";
import { bytesText, printableLine } from "../output/printable.ts";
import { withTotal } from "../output/progress.ts";
import { inSession, type Invocation, type Session } from "../room/session.ts";
import { assertReadable, type Source, sourceOf } from "./sources.ts";

/** Number of concurrent files: a small one need not wait for a large one, and the bars stay readable. */
const MAX_CONCURRENT_FILES = 4;

/** Options of `millrace send`. */
export interface SendTask {
  readonly files: readonly string[];
  readonly to: readonly string[];
  /** Number of participants that must be in the room, unless `to` names them. */
  readonly receivers: number;
  readonly topic: string;
  readonly name?: string;
  readonly mime?: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Time to wait for the receivers, in seconds. */
  readonly wait: number;
}

/** Runs `millrace send`. Resolves with the exit code. */
export async function send(task: SendTask, invocation: Invocation): Promise<number> {
  for (const file of task.files) await assertReadable(file);
  return await inSession(invocation, { topic: task.topic }, async (session) => {
    const { watcher, signal } = session;
    await watcher.waitFor({ identities: task.to, count: task.receivers }, task.wait, signal);
    await session.showProgress();
    const waiting = [...task.files];
    let failed = 0;
    const sendFiles = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
        if (!await sendOne(file, task, session, invocation.environment.stdin)) failed++;
      }
    };
    await Promise.all(Array.from({ length: MAX_CONCURRENT_FILES }, sendFiles));
    return failed === 0 ? EXIT.ok : EXIT.transfer;
  });
}

/** Sends a file. Resolves with whether all receivers have it. */
async function sendOne(file: string, task: SendTask, session: Session, stdin: CliInputStream): Promise<boolean> {
  const { output, signal } = session;
  let source: Source | undefined;
  try {
    source = await sourceOf(file, task.name, stdin);
    for (const path of source.leftOut) output.notice(`Left out, as it is no file or leads out of the folder: "${path}"`);
    const info = await sendSource(source, task, session);
    return reportSent(file, info, info.size ?? source.bytesRead(), task.to, output);
  } catch (error) {
    if (!signal.aborted) output.failure(toFailure(error, `send "${source?.name ?? file}"`), { file });
    return false;
  }
}

async function sendSource(source: Source, task: SendTask, { runtime, output, signal }: Session): Promise<ByteStreamInfo> {
  const { name, total } = source;
  const transfer = output.transfer({ direction: "send", file: name, identities: task.to, total });
  const options: SendFileOptions = {
    topic: task.topic,
    attributes: { ...task.attributes },
    signal,
    onProgress: (progress) => transfer.progress(withTotal(progress, total)),
    ...(task.to.length === 0 ? {} : { destinationIdentities: task.to }),
    ...(task.mime === undefined ? {} : { mimeType: task.mime }),
  };
  try {
    return await source.send(runtime, options);
  } finally {
    transfer.end();
  }
}

function reportSent(file: string, info: ByteStreamInfo, bytes: number, to: readonly string[], output: Output): boolean {
  const receivers = deliveries(info, to);
  const { streamId, name } = info;
  const lines = receivers.map((delivery) => `${printableLine(name)} → ${describe(delivery, bytes)}`);
  output.event({ event: "sent", file, streamId, name, bytes, receivers });
  output.line(lines.length > 0 ? lines.join("\n") : `${printableLine(name)}: sent to everybody, and nobody confirmed it`);
  return receivers.every(({ error }) => error === undefined);
}

/** Lists the outcome at each named receiver, and at each other one that confirmed. */
function deliveries({ receipts = [] }: ByteStreamInfo, to: readonly string[]): Delivery[] {
  const unconfirmed = to.filter((identity) => !receipts.some((receipt) => receipt.identity === identity));
  return [...receipts.map((receipt) => ({ ...receipt })), ...unconfirmed.map((identity) => ({ identity }))];
}

function describe({ identity, bytes, error }: Delivery, total: number): string {
  const receiver = printableLine(identity);
  if (error !== undefined) return `${receiver}: ${error} after ${bytesText(bytes ?? 0)}`;
  if (bytes === undefined) return `${receiver}: sent, not confirmed (no Millrace runtime)`;
  return `${receiver}: received ${bytesText(total)}, checked`;
}
