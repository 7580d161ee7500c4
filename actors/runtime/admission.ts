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
  /** Stream credit taken from the Millrace receivers, one stream each. */
  readonly credits: readonly StreamCredit[];
  readonly here: readonly string[];
  /** Named receivers that are absent. */
  readonly absent: readonly string[];
  /** Receivers that gave no stream credit within `limits.stallTimeout`. */
  readonly stalled: readonly string[];
}

/** Admission of outgoing streams. Each waits until its receivers are discovered, have sent hellos, and have stream credit. */
export class Admission {
  readonly #peers: Peers;
  readonly #transport: Transport;
  readonly #openings: OpeningQueue;

  constructor(peers: Peers, transport: Transport, openings: OpeningQueue) {
    this.#peers = peers;
    this.#transport = transport;
    this.#openings = openings;
  }

  /** Admits a stream if all its receivers are present, have sent hellos, and have stream credit; undefined otherwise. */
  admitNow(applicant: Applicant): Admitted | undefined {
    const targets = this.#targets(applicant);
    return this.#missing(applicant, targets).length > 0 ? undefined : this.#tryAdmit(applicant, targets);
  }

  /** Waits until each receiver has sent a hello and has stream credit; takes the credit. */
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

  /** Receivers that are present. Throws "disconnected" if all of a targeted stream's are absent. */
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

  /** Admits a stream if each present receiver has sent a hello and has stream credit; undefined otherwise. */
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

  /** Receivers with stream credit: the Millrace runtimes. */
  #counting(here: readonly string[]): Peer[] {
    return here.map((identity) => this.#peers.get(identity)).filter((peer) => peer.isMillrace);
  }

  /** Waits for stream credit. Tells receivers without credit that a send waits. */
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

/** Whether a turn's receivers still have their instances, and the stream is not withdrawn. */
function isValid({ credits }: OpeningTurn, applicant: Applicant): boolean {
  return applicant.withdrawn() === undefined && credits.every((credit) => !credit.ended);
}

function assertWanted(applicant: Applicant): void {
  const error = applicant.withdrawn();
  if (error !== undefined) throw error;
}
