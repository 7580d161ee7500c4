import { BoundedMap } from "../../common/bounded_map.ts";
import type { Clock } from "../../common/clock.ts";
import type { ReceiveBudget } from "../../protocol/flow/credit.ts";
import type { StreamBudget, StreamCredit } from "../../protocol/flow/stream_credit.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { SenderMemory } from "../../protocol/memory_account.ts";
import type { ControlMessage } from "../../protocol/wire/control.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { Report } from "../outgoing/refusals.ts";
import { Answers } from "./answers.ts";
import { PeerSession, type SessionContext } from "./session.ts";
import { StreamCounts } from "./stream_counts.ts";

/** Number of ended instances that are remembered, so that their late packets are dropped. */
const REMEMBERED = 256;

/** Environment of a peer: limits, budgets and calls of the runtime. */
export interface PeerContext {
  readonly limits: Limits;
  readonly budget: ReceiveBudget;
  readonly streamBudget: StreamBudget;
  readonly memory: SenderMemory;
  readonly clock: Required<Clock>;
  /** Instance of this runtime's present life. */
  instance(): string;
  /** Resolves when the message was sent or dropped. */
  tell(peer: Peer, message: ControlMessage): Promise<void>;
  /** Answers a hello. */
  answerHello(peer: Peer): void;
  /** Number of open streams from a sender: of all its instances, and as another SDK. */
  openStreams(identity: string): number;
  /** Wakes waiting sends, as a receiver has raised its stream limit or has left. */
  streamsRaised(peer: Peer): void;
  /** Called when the session with an instance, or with another SDK, has ended. */
  sessionEnded(peer: Peer): void;
  /** Number of sends that wait for stream credit. */
  waitingFor(credit: StreamCredit): number;
  /** Reports an error that no call rejects with. */
  readonly report: Report;
  /** Adds the peer to an open broadcast that it received unlisted; false if there is no such stream. */
  adopt(peer: Peer, sequence: number): boolean;
}

/** Another participant of the room: its session with the present instance, and state that outlives instances. */
export class Peer {
  readonly identity: string;
  /** Latest open stream from the peer for each stream id; of any SDK. */
  readonly incoming = new Map<string, IncomingStream>();
  /** Time of its last sign of life, or of the start of keep-alives, in ms. */
  heardAt = 0;
  /** Answers to the peer's hellos. */
  readonly helloAnswers: Answers;
  /** Counts of streams that may be opened, in both directions. */
  readonly counts: StreamCounts;
  readonly #context: PeerContext;
  readonly #sessionContext: SessionContext;
  readonly #retired = new BoundedMap<string, true>(REMEMBERED);
  #session: PeerSession;

  constructor(identity: string, context: PeerContext) {
    this.identity = identity;
    this.#context = context;
    this.helloAnswers = new Answers(context.clock, () => context.answerHello(this));
    this.counts = new StreamCounts({
      limits: context.limits,
      budget: context.streamBudget,
      openStreams: () => context.openStreams(identity),
      waiting: (credit) => context.waitingFor(credit),
      due: () => this.session.queueCounts(),
      raised: () => context.streamsRaised(this),
    });
    const { limits, budget, clock, report } = context;
    this.#sessionContext = {
      ...{ identity, limits, budget, clock, report },
      instance: () => context.instance(),
      counts: this.counts,
      tell: (message) => context.tell(this, message),
      adopt: (sequence) => context.adopt(this, sequence),
    };
    this.#session = new PeerSession(this.#sessionContext);
  }

  /** Session with the present instance. */
  get session(): PeerSession {
    return this.#session;
  }

  /** Memory that all its instances make this runtime hold. */
  get memory(): SenderMemory {
    return this.#context.memory;
  }

  /** Whether the participant is known to be a Millrace runtime. */
  get isMillrace(): boolean {
    return this.#session.kind === "millrace";
  }

  /** Notes the instance that sent a packet; false for an ended instance. A new instance ends the session with the previous one. */
  acceptInstance(instance: string): boolean {
    if (this.#session.instance === instance) return true;
    if (this.#retired.get(instance) !== undefined) return false;
    if (this.#session.instance !== undefined) this.endSession();
    this.#session.instance = instance;
    return true;
  }

  /** Ends the session: the participant left, said goodbye, or came back as another instance. */
  endSession(): void {
    const ended = this.#session;
    if (ended.instance !== undefined) this.#retired.set(ended.instance, true);
    this.#session = new PeerSession(this.#sessionContext);
    for (const stream of [...this.incoming.values()]) stream.senderGone(); // of another SDK, too, which has no session
    this.incoming.clear(); // a whole stream can still be read, while its id is free again
    ended.close();
    this.helloAnswers.stop();
    this.counts.reset();
    this.#context.sessionEnded(this);
  }

  /** Stops all sending to the peer. */
  stop(): void {
    this.#session.stop();
    this.helloAnswers.stop();
  }

  addIncoming(stream: IncomingStream): void {
    this.incoming.set(stream.streamId, stream);
    this.counts.open(stream);
    this.#session.addIncoming(stream);
  }

  endIncoming(stream: IncomingStream): void {
    if (this.incoming.get(stream.streamId) === stream) this.incoming.delete(stream.streamId);
    this.counts.end(stream);
    this.#session.endIncoming(stream);
  }
}
