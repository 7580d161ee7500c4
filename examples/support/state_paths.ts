import type { AnyActorRef, AnyStateMachine, InspectionEvent, SnapshotFrom } from "xstate";

/** One end of a stream, and the states that it went through. */
interface Path {
  readonly identity: string;
  readonly streamId: string;
  readonly path: string[];
}

/** The states that each stream's actor went through, by what `inspect` of its runtime is told. */
export class StatePaths {
  /** An actor's id is used again when it has ended; the actor is one stream's. */
  readonly #paths = new Map<unknown, Path>();

  /** The `inspect` option for a participant's runtime. */
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

  /** Of the streams with an id: who has an end of it, and the states that end went through. */
  find(streamId: string): { identity: string; path: string[] }[] {
    const found = [...this.#paths.values()].filter((path) => path.streamId === streamId);
    return found.map(({ identity, path }) => ({ identity, path }));
  }
}
