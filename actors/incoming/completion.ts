import type { StreamContext } from "../common/context.ts";
import type { Fault } from "./fault.ts";
import type { ReceivedContent } from "./received_content.ts";
import { abortReasonOf, type ReceivedTrailer } from "./trailer.ts";

/** How long to wait, in ms, for chunks missing when the trailer arrives. An ordered transport never needs it. */
const GAP_WAIT = 1_000;

/** The sender's part in a stream's end: trailer, gaps, silence. */
export class Completion {
  readonly #from: string;
  readonly #isMillrace: boolean;
  readonly #content: ReceivedContent;
  readonly #context: StreamContext;
  #trailer: ReceivedTrailer | undefined;
  /** Time at which the stream began, in ms. */
  readonly startedAt: number;
  #heardAt: number;
  /** Time at which sent chunks were found missing, in ms. */
  #gapSince: number | undefined;

  constructor(from: string, isMillrace: boolean, content: ReceivedContent, context: StreamContext) {
    this.#from = from;
    this.#isMillrace = isMillrace;
    this.#content = content;
    this.#context = context;
    this.startedAt = this.#heardAt = context.clock.now();
  }

  get trailer(): ReceivedTrailer | undefined {
    return this.#trailer;
  }

  /** Whether every sent chunk has arrived. */
  get isWhole(): boolean {
    if (this.#trailer === undefined) return false;
    const { extension } = this.#trailer;
    return extension === undefined ? !this.#content.hasGap : this.#content.chunks >= extension.chunks;
  }

  /** Fault of a stream that its sender aborted. */
  get abortFault(): Fault | undefined {
    const abort = this.#trailer && abortReasonOf(this.#trailer, this.#isMillrace);
    return abort && { ...abort, why: `"${this.#from}" gave it up` };
  }

  /** Fault of a stream whose consumed content is not all that its sender had to send. */
  get endFault(): Fault | undefined {
    if (this.#trailer === undefined) return { code: "incomplete", why: "its trailer did not come" };
    return this.abortFault ?? (this.#content.isCutOff ? { code: "incomplete", why: "its last frame is not whole" } : undefined);
  }

  /** Notes a sign of life of the sender. */
  heard(): void {
    this.#heardAt = this.#context.clock.now();
  }

  /** Notes the trailer: no more chunks were sent. Returns a fault if more chunks came than the trailer counts. */
  noteTrailer(trailer: ReceivedTrailer): Fault | undefined {
    const { chunks = Infinity } = trailer.extension ?? {};
    if (chunks < this.#content.chunks) return { code: "corrupt", why: "more chunks came than were sent" };
    this.#trailer = trailer;
    return undefined;
  }

  /** Starts the wait for sent chunks that are missing. Returns true if the wait is new. */
  noteGap(): boolean {
    if (this.isWhole || this.#gapSince !== undefined) return false;
    this.#gapSince = this.#context.clock.now();
    return true;
  }

  /** Milliseconds until the silence is too long, at least 0. */
  untilSilent(): number {
    if (this.isWhole && this.abortFault === undefined) return Infinity;
    const { clock, limits: { idleTimeout, foreignIdleTimeout } } = this.#context;
    const now = clock.now();
    const left = (this.#isMillrace ? idleTimeout : foreignIdleTimeout) - (now - this.#heardAt);
    return Math.max(0, this.#gapSince === undefined ? left : Math.min(left, GAP_WAIT - (now - this.#gapSince)));
  }

  /** Fault of a sender that has been silent too long, or of chunks missing too long. */
  silenceFault(): Fault | undefined {
    if (this.untilSilent() > 0) return undefined;
    const { abortFault } = this;
    if (this.isWhole || abortFault !== undefined) return abortFault; // content that came before the end was left unread for as long
    if (this.#trailer !== undefined || this.#gapSince !== undefined || this.#content.hasGap) {
      return { code: "incomplete", why: `chunk ${this.#content.chunks} did not come` };
    }
    return { code: "timeout", why: `nothing was heard of "${this.#from}" any more` };
  }
}
