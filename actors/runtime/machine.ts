import { type ActorRefFrom, assign, fromCallback, setup } from "xstate";

/** Events of a runtime. */
export type RuntimeEvent =
  | { type: "peer.joined"; identity: string }
  | { type: "peer.left"; identity: string }
  | { type: "close.requested" }
  | { type: "closed" }
  | { type: `xstate.error.actor.${string}` };

/** Context of a runtime, as an inspector sees it. The streams' actors are its children. */
export interface RuntimeContext {
  readonly identity: string;
  readonly peers: readonly string[];
  readonly shutDown: () => void;
}

/** Machine of a runtime: `open → closing → closed`. The clean-up of `life` ends the streams, whatever ends the actor. */
const machine = setup({
  types: {
    context: {} as RuntimeContext,
    events: {} as RuntimeEvent,
    input: {} as RuntimeContext,
  },
  actors: {
    life: fromCallback<RuntimeEvent, () => void>(({ input }) => input),
  },
  actions: {
    notePeer: assign({
      peers: ({ context, event }) => ("identity" in event ? [...context.peers, event.identity] : context.peers),
    }),
    forgetPeer: assign({
      peers: (
        { context, event },
      ) => ("identity" in event ? context.peers.filter((peer) => peer !== event.identity) : context.peers),
    }),
  },
}).createMachine({
  id: "runtime",
  context: ({ input }) => input,
  invoke: { src: "life", input: ({ context }) => context.shutDown },
  initial: "open",
  // A stream's actor that a user's own event has broken ends its stream only.
  on: { "xstate.error.actor.*": {} },
  states: {
    open: {
      on: {
        "peer.joined": { actions: "notePeer" },
        "peer.left": { actions: "forgetPeer" },
        "close.requested": "closing",
        closed: "closed",
      },
    },
    closing: { on: { closed: "closed" } },
    closed: { type: "final" },
  },
});

/** Machine of a runtime. */
export const runtimeMachine: typeof machine = machine;

/** Actor of a runtime. */
export type RuntimeActor = ActorRefFrom<typeof machine>;
