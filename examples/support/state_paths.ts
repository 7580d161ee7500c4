import type { AnyActorRef, AnyStateMachine, InspectionEvent, SnapshotFrom } from "xstate";

/** The states that each stream's actor went through, by what `inspect` of its runtime is told. */
export class StatePaths {
  readonly #paths = new Map<string, string[]>();

  /** The `inspect` option for a participant's runtime. */
  of(identity: string): (event: InspectionEvent) => void {
    return (event) => {
      if (event.type !== "@xstate.snapshot") return;
      const { id } = event.actorRef as AnyActorRef;
      if (!/^(in|out):/.test(id)) return; // the runtime itself, or a pump
      const { value } = event.snapshot as SnapshotFrom<AnyStateMachine>;
      const key = `${identity} ${id}`;
      const path = this.#paths.get(key);
      if (path === undefined) this.#paths.set(key, [value]);
      else if (path.at(-1) !== value) path.push(value);
    };
  }

  /** Of the streams with an id: who has an end of it, and the states that end went through. */
  find(streamId: string): { identity: string; path: string[] }[] {
    const found = [...this.#paths].filter(([key]) => key.endsWith(`:${streamId}`));
    return found.map(([key, path]) => ({ identity: key.slice(0, key.indexOf(" ")), path }));
  }
}
