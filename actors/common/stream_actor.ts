import {
  type Actor,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventObject,
} from "xstate";
import type { ActorIds } from "./actor_ids.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { FlatMachine, type Step } from "./flat_machine.ts";

/** Place of a runtime's stream actors in its system of actors. */
export interface ActorPlace {
  /** Whether an inspector watches the system: then each stream has an actor from the start. */
  isInspected(): boolean;
  /** The runtime's actor. */
  parent(): AnyActorRef;
  readonly ids: ActorIds;
  readonly deadlines: Deadlines;
}

/** Machine of a stream, as xstate defines it and in its flat form. */
export class StreamMachine {
  readonly definition: AnyStateMachine;
  readonly flat: FlatMachine;
  /** The machine for an actor that continues from a snapshot: xstate's own `restoreSnapshot` would search all that the context refers to. */
  readonly resumable: AnyStateMachine;

  constructor(definition: AnyStateMachine) {
    this.definition = definition;
    this.flat = new FlatMachine(definition);
    const restoreSnapshot = (snapshot: AnyMachineSnapshot): AnyMachineSnapshot => snapshot;
    this.resumable = Object.create(definition, { restoreSnapshot: { value: restoreSnapshot } }) as AnyStateMachine;
  }
}

/**
 * A stream's machine in motion. While nobody looks, the state is computed by the machine's pure transitions. The property `ref` turns the
 * stream into an xstate actor in the same state.
 */
export class StreamActor<Event extends EventObject> {
  readonly #machine: StreamMachine;
  readonly #input: unknown;
  readonly #place: ActorPlace;
  readonly #stopped: () => void;
  readonly #events: Event[] = [];
  readonly #deadline: Deadline;
  #isBusy = false;
  /** State of a stream without an actor. */
  #step: Step;
  #actor: Actor<AnyStateMachine> | undefined;

  /** `stopped` is called when an actor has stopped: at the stream's end, or as an event of a user's that it cannot handle ended it. */
  constructor(machine: StreamMachine, input: unknown, place: ActorPlace, stopped: () => void) {
    this.#machine = machine;
    this.#input = input;
    this.#place = place;
    this.#stopped = stopped;
    this.#deadline = new Deadline(() => this.send({ type: "deadline.passed" } as Event));
    this.#step = machine.flat.start(input);
  }

  /** State of the machine, such as "open". */
  get value(): string {
    return this.#actor === undefined ? this.#step.value : this.#actor.getSnapshot().value as string;
  }

  /** The stream's xstate actor, from now on. */
  get ref(): AnyActorRef {
    const { flat, resumable } = this.#machine;
    return this.#actor ?? this.#createActor(resumable, { snapshot: flat.snapshot(this.#step) });
  }

  /** Runs the actions of the initial state. */
  start(): void {
    if (this.#place.isInspected()) this.#createActor(this.#machine.definition, { input: this.#input });
    else this.#work(() => this.#run(this.#step));
  }

  /** Sends "deadline.passed" after `ms` milliseconds, instead of at an earlier deadline; never if that is Infinity. */
  setDeadline(ms: number): void {
    this.#place.deadlines.set(this.#deadline, ms);
  }

  /** Sends an event. An event sent by an action is handled after the other actions of its transition. */
  send(event: Event): void {
    this.#events.push(event);
    if (!this.#isBusy) this.#work(() => {});
  }

  #work(first: () => void): void {
    this.#isBusy = true;
    try {
      first();
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) this.#handle(event);
    } finally {
      this.#isBusy = false;
    }
  }

  #handle(event: Event): void {
    if (this.#actor !== undefined) return this.#actor.send(event);
    const step = this.#machine.flat.next(this.#step, event);
    if (step !== undefined) this.#run(step);
  }

  #run(step: Step): void {
    this.#step = step;
    for (const effect of step.effects) effect(step);
    if (step.isDone) this.#place.deadlines.clear(this.#deadline);
  }

  #createActor(logic: AnyStateMachine, from: { snapshot: AnyMachineSnapshot } | { input: unknown }): AnyActorRef {
    const { ids } = this.#place;
    const id = ids.take();
    const actor = createActor(logic, { parent: this.#place.parent(), id, ...from });
    this.#actor = actor;
    const stopped = (): void => {
      ids.giveBack(id);
      this.#place.deadlines.clear(this.#deadline);
      this.#stopped();
    };
    actor.subscribe({ complete: stopped, error: stopped });
    return actor.start();
  }
}
