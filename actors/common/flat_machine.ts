import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject, MachineContext } from "xstate";

interface Arguments {
  readonly context: MachineContext;
  readonly event: EventObject;
}

type Effect = (args: Arguments) => void;
type Assignment = Readonly<Record<string, unknown>>;

/** State of a machine, and what the step into the state is to do. */
export interface Step extends Arguments {
  /** Key of the state, such as "open". */
  readonly value: string;
  /** Whether the state is final. */
  readonly isDone: boolean;
  readonly effects: readonly Effect[];
}

interface Actions {
  readonly assignments: readonly Assignment[];
  readonly effects: readonly Effect[];
}

interface Transition {
  readonly guard: ((args: Arguments) => boolean) | undefined;
  /** Key of the state to enter; undefined if the state stays. */
  readonly target: string | undefined;
  /** Actions of the transition, then those of the entry. */
  readonly actions: Actions;
}

interface State {
  readonly isFinal: boolean;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
}

const START: EventObject = { type: "xstate.init" };

/**
 * Pure transitions of an xstate machine whose states are flat: no child states, invocations, delays, exit actions or raised events, and
 * assignments before other actions. All are read from the machine's own definition, and refused if the machine is not flat. A step costs a
 * tenth of xstate's general algorithm; a law of the tests holds both to the same results.
 */
export class FlatMachine {
  readonly #machine: AnyStateMachine;
  readonly #states = new Map<string, State>();
  readonly #initial: string;
  readonly #entry: Actions;

  constructor(machine: AnyStateMachine) {
    const { root } = machine;
    const nodes = root.states as Record<string, AnyStateNode>;
    const [first] = root.initial.target;
    this.#machine = machine;
    this.#initial = first?.key ?? "";
    this.#entry = this.#actions([...root.entry, ...first?.entry ?? []]);
    for (const [key, node] of Object.entries(nodes)) {
      assertFlat(machine, node);
      const isFinal = node.type === "final";
      this.#states.set(key, { isFinal, transitions: isFinal ? new Map() : this.#transitions(root, node) });
    }
  }

  /** Step into the initial state. */
  start(input: unknown): Step {
    const { context } = this.#machine.config as { context?: (args: { input: unknown }) => MachineContext };
    return this.#step(this.#initial, this.#entry, { context: context?.({ input }) ?? {}, event: START });
  }

  /** Step that an event causes; undefined if the event has no effect in the state. */
  next({ value, context }: Step, event: EventObject): Step | undefined {
    const args = { context, event };
    const chosen = this.#states.get(value)?.transitions.get(event.type)?.find(({ guard }) => guard?.(args) ?? true);
    return chosen && this.#step(chosen.target ?? value, chosen.actions, args);
  }

  /** xstate's snapshot of a state. */
  snapshot({ value, context }: Step): AnyMachineSnapshot {
    return this.#machine.resolveState({ value, context }) as AnyMachineSnapshot;
  }

  #step(value: string, { assignments, effects }: Actions, { context: before, event }: Arguments): Step {
    let context = before;
    for (const assignment of assignments) context = assigned(assignment, { context, event });
    return { value, isDone: this.#states.get(value)?.isFinal === true, context, event, effects };
  }

  #transitions(...nodes: readonly AnyStateNode[]): Map<string, readonly Transition[]> {
    const { guards } = this.#machine.implementations;
    const all = new Map<string, readonly Transition[]>();
    for (const node of nodes) {
      for (const [type, candidates] of node.transitions) {
        all.set(
          type,
          candidates.map(({ guard, target, actions }) => ({
            guard: guard === undefined ? undefined : guards[guard as string] as Transition["guard"],
            target: target?.[0]?.key,
            actions: this.#actions([...actions, ...target?.[0]?.entry ?? []]),
          })),
        );
      }
    }
    return all;
  }

  #actions(names: readonly unknown[]): Actions {
    const assignments: Assignment[] = [];
    const effects: Effect[] = [];
    for (const name of names) {
      const action = this.#machine.implementations.actions[name as string] as Effect & { assignment?: unknown } | undefined;
      const { assignment } = action ?? {};
      if (typeof assignment === "object" && effects.length === 0) assignments.push(assignment as Assignment);
      else if (action !== undefined && !("resolve" in action)) effects.push(action);
      else throw notFlat(this.#machine, `action "${String(name)}"`);
    }
    return { assignments, effects };
  }
}

/** Throws unless a state is within the limits of a {@linkcode FlatMachine}. */
function assertFlat(machine: AnyStateMachine, node: AnyStateNode): void {
  const others = [...node.invoke, ...node.after, ...node.exit, ...node.always ?? [], ...Object.keys(node.states)];
  if (others.length > 0 || node.transitions.has("*")) throw notFlat(machine, `state "${node.key}"`);
}

function notFlat({ id }: AnyStateMachine, what: string): TypeError {
  return new TypeError(`Cannot run the machine "${id}" without an actor as its ${what} is not that of a flat machine`);
}

/** The context after an assignment, whose properties are values or functions of the context and the event. */
function assigned(assignment: Assignment, args: Arguments): MachineContext {
  const changed = { ...args.context };
  for (const [name, value] of Object.entries(assignment)) {
    changed[name] = typeof value === "function" ? (value as (args: Arguments) => unknown)(args) : value;
  }
  return changed;
}
