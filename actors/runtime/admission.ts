import { StreamError } from "../../errors.ts";
import { unlessAborted } from "../../common/abort.ts";
import type { StreamCredit } from "../../protocol/flow/stream_credit.ts";
import type { Transport } from "../../transports/transport.ts";
import type { OpeningQueue, OpeningTurn } from "../outgoing/opening_queue.ts";
import type { Peer } from "../peers/peer.ts";
import type { Peers } from "../peers/registry.ts";

/** Stream that asks for admission. */
export interface Applicant {
  readonly streamId: string;
  /** Identities of the receivers that the sender named; undefined for a broadcast. */
  readonly wanted: readonly string[] | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether other streams are open, so that this one takes its turn in time slices. */
  readonly isOneOfMany: boolean;
  /** Error of a stream that was aborted, or whose runtime is closed. */
  withdrawn(): StreamError | undefined;
}

/** Receivers of an admitted stream. */
export interface Admitted {
  /** Credit that the stream has taken: one stream at each receiver that states a limit. */
  readonly credits: readonly StreamCredit[];
  readonly here: readonly string[];
  /** Named receivers that are not here. */
  readonly absent: readonly string[];
  /** Receivers that took no stream for as long as a send may wait. */
  readonly stalled: readonly string[];
}

/** Admission of outgoing streams: each waits for news of its receivers, for their hellos and for its turn at each of them. */
export class Admission {
  readonly #peers: Peers;
  readonly #transport: Transport;
  readonly #openings: OpeningQueue;

  constructor(peers: Peers, transport: Transport, openings: OpeningQueue) {
    this.#peers = peers;
    this.#transport = transport;
    this.#openings = openings;
  }

  /** Admits a stream at once, if all its receivers are here, have said hello and take one more. */
  admitNow(applicant: Applicant): Admitted | undefined {
    const targets = this.#targets(applicant);
    return this.#missing(applicant, targets).length > 0 ? undefined : this.#tryAdmit(applicant, targets);
  }

  /** Waits until each receiver has said hello and takes one more stream. Counts the stream at each that does. */
  async admit(applicant: Applicant): Promise<Admitted> {
    const targets = this.#targets(applicant);
    const missing = this.#missing(applicant, targets);
    if (missing.length > 0) {
      await unlessAborted(this.#peers.waitForParticipants(missing), [applicant.signal]);
      assertWanted(applicant);
    }
    return this.#tryAdmit(applicant, targets) ?? await this.#waitAndAdmit(applicant, targets);
  }

  #targets({ wanted }: Applicant): readonly string[] {
    return wanted === undefined ? this.#transport.participants() : [...new Set(wanted)];
  }

  /** Named receivers that the transport does not list. */
  #missing({ wanted }: Applicant, targets: readonly string[]): readonly string[] {
    if (wanted === undefined) return [];
    const here = this.#here(targets);
    return targets.filter((identity) => !here.includes(identity));
  }

  #here(identities: readonly string[]): readonly string[] {
    const participants = new Set(this.#transport.participants());
    return identities.filter((identity) => participants.has(identity));
  }

  /** Receivers that are here. Throws "disconnected" if they were named and none is. */
  #present({ streamId, wanted }: Applicant, targets: readonly string[]): readonly string[] {
    const here = this.#here(targets);
    const [missing] = targets;
    if (wanted === undefined || here.length > 0) return here;
    throw new StreamError(
      "disconnected",
      `Cannot open the stream as none of its destinations is here, such as "${missing ?? ""}": stream id is "${streamId}"`,
      { streamId, ...(missing === undefined ? {} : { identity: missing }) },
    );
  }

  /** Admits a stream at once if each receiver has said hello and takes one more. */
  #tryAdmit(applicant: Applicant, targets: readonly string[]): Admitted | undefined {
    const here = this.#present(applicant, targets);
    if (!this.#peers.haveHellos(here)) return undefined;
    const credits = this.#counting(here).map((peer) => peer.counts.credit);
    return this.#openings.tryEnter(credits, applicant.isOneOfMany) ? admitted(targets, here, [], credits) : undefined;
  }

  async #waitAndAdmit(applicant: Applicant, targets: readonly string[]): Promise<Admitted> {
    for (;;) {
      const here = this.#present(applicant, targets);
      if (!this.#peers.haveHellos(here)) await this.#peers.waitForHellos(here);
      else {
        const peers = this.#counting(here);
        const turn = await this.#waitForTurn(peers, applicant.signal);
        if (turn !== undefined) this.#openings.goOn();
        if (turn !== undefined && isValid(turn, applicant)) {
          const stalled = peers.filter((peer) => turn.stalled.has(peer.counts.credit)).map(({ identity }) => identity);
          if (applicant.wanted !== undefined && stalled.length === here.length) throw tooManyStreams(here, applicant.streamId);
          return admitted(targets, here.filter((identity) => !stalled.includes(identity)), stalled, turn.credits);
        }
        if (turn !== undefined) this.#openings.leave(turn.credits);
      }
      assertWanted(applicant);
      const soon = this.#tryAdmit(applicant, targets);
      if (soon !== undefined) return soon;
    }
  }

  /** Receivers that count streams: another SDK states no limit. */
  #counting(here: readonly string[]): Peer[] {
    return here.map((identity) => this.#peers.get(identity)).filter((peer) => peer.isMillrace);
  }

  /** Waits for a turn, and meanwhile asks the receivers that are full for streams. */
  async #waitForTurn(peers: readonly Peer[], signal: AbortSignal | undefined): Promise<OpeningTurn | undefined> {
    const turn = this.#openings.enter(peers.map((peer) => peer.counts.credit), signal);
    for (const peer of peers) {
      if (peer.counts.credit.available) continue;
      peer.session.queueCounts();
      this.#peers.keepAlive.start(peer);
    }
    const taken = await turn;
    for (const peer of peers) this.#peers.keepAlive.stop(peer);
    return taken;
  }
}

/** Makes the error of a stream whose receivers accept no more streams. */
export function tooManyStreams(receivers: readonly string[], streamId: string): StreamError {
  const [identity = ""] = receivers;
  const message =
    `Cannot open the stream as its receiver takes no more streams: receiver is "${identity}", stream id is "${streamId}"`;
  return new StreamError("timeout", message, { streamId, identity });
}

function admitted(
  targets: readonly string[],
  here: readonly string[],
  stalled: readonly string[],
  credits: readonly StreamCredit[],
): Admitted {
  const absent = targets.filter((identity) => !here.includes(identity) && !stalled.includes(identity));
  return { credits, here, absent, stalled };
}

/** Whether a turn's receivers are all still there, and the stream is still wanted. */
function isValid({ credits }: OpeningTurn, applicant: Applicant): boolean {
  return applicant.withdrawn() === undefined && credits.every((credit) => !credit.ended);
}

function assertWanted(applicant: Applicant): void {
  const error = applicant.withdrawn();
  if (error !== undefined) throw error;
}
