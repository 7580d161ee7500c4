import type { AnyActorRef, AnyStateMachine, InspectionEvent, SnapshotFrom } from "xstate";

/** States that one end of a stream went through. */
interface Path {
  readonly identity: string;
  readonly streamId: string;
  readonly path: string[];
}

/** States that the actor of each stream went through, from the inspection events of runtimes. */
export class StatePaths {
  /** Paths by actor, as actor ids are used again. */
  readonly #paths = new Map<unknown, Path>();

  /** Makes the `inspect` option of a participant's runtime. */
  of(identity: string): (event: InspectionEvent) => void {
    return (event) => {
      if (event.type !== "@xstate.snapshot") return;
      const { id } = event.actorRef as AnyActorRef;
      if (!/^(in|out):/.test(id)) return; // the runtime itself, or a pump
      const { value, context } = event.snapshot as SnapshotFrom<AnyStateMachine>;
      const { streamId } = context as { streamId: string };
      const known = this.#paths.get(event.actorRef);
      if (known === undefined) this.#paths.set(event.actorRef, { identity, streamId, path: [value] });
      else if (known.path.at(-1) !== value) known.path.push(value);
    };
  }

  /** Finds the ends of a stream, each with its participant and states. */
  find(streamId: string): { identity: string; path: string[] }[] {
    const found = [...this.#paths.values()].filter((path) => path.streamId === streamId);
    return found.map(({ identity, path }) => ({ identity, path }));
  }
}
