import type { IncomingStream } from "../../../actors/incoming/stream.ts";
import type { StreamReader } from "../../../mod.ts";

/** The library's own stream behind a reader: the effects in its actor's context, which inspectors do not see. */
export function incomingOf({ actor }: Pick<StreamReader<unknown>, "actor">): IncomingStream {
  return (actor.getSnapshot() as unknown as { context: { effects: IncomingStream } }).context.effects;
}
