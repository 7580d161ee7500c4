// millrace receive: files of a topic into a folder, or their bytes to stdout.
import { EXIT } from "../failure.ts";
import { FileReceiver, type ReceiveTask, STDOUT } from "./file_receiver.ts";
import { inSession, type Invocation } from "../room/session.ts";
import { assertWritable } from "./writable_folder.ts";

/** Milliseconds without a byte after which a sender gives way to one who waits. */
const STALL_TIME = 10_000;

export async function receive(task: ReceiveTask, invocation: Invocation): Promise<number> {
  const { output, environment } = invocation;
  if (task.dir !== STDOUT) await assertWritable(task.dir);
  output.resultsAside = task.dir === STDOUT;
  return await inSession(invocation, { topic: task.topic }, async (session) => {
    await session.showProgress();
    const failed = await new FileReceiver(task, session, environment.stallTime ?? STALL_TIME).run();
    return failed === 0 ? EXIT.ok : EXIT.transfer;
  });
}
