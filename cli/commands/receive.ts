// millrace receive: receives files of a topic into a folder, or writes their bytes to stdout.
import { EXIT } from "../failure.ts";
import { FileReceiver, type ReceiveTask, STDOUT } from "./file_receiver.ts";
import { inSession, type Invocation } from "../room/session.ts";
import { assertWritable } from "./writable_folder.ts";

/** Default time without a byte after which a sender loses its slot, in ms. */
const STALL_TIME_MS = 10_000;

/** Runs `millrace receive`. Resolves with the exit code. */
export async function receive(task: ReceiveTask, invocation: Invocation): Promise<number> {
  const { output, environment } = invocation;
  if (task.dir !== STDOUT) await assertWritable(task.dir);
  output.resultsToStderr = task.dir === STDOUT;
  return await inSession(invocation, { topic: task.topic }, async (session) => {
    await session.showProgress();
    const failed = await new FileReceiver(task, session, environment.stallTime ?? STALL_TIME_MS).run();
    return failed === 0 ? EXIT.ok : EXIT.transfer;
  });
}
