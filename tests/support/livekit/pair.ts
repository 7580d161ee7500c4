// Two Millrace runtimes in a room, with open streams of every kind in both directions.
import process from "node:process";
import * as assert from "uvu/assert";
import { inTemporaryFolder } from "../temporary_folder.ts";
import { until } from "../waiting.ts";
import type { LiveKitRoom, LiveKitRooms, Member } from "./livekit_rooms.ts";
import { type Ending, type Endings, FAULT_LIMITS, KINDS, Receiving, Sending } from "./traffic.ts";

/** Promised longest time from a fault to the end of all its streams, with the limits of these tests, in ms. */
const LONGEST_END_MS = 20_000;

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => void unhandled.push(reason));

/** Ends of the streams in both directions, at both ends. */
export interface Outcome {
  /** Streams from Alice to Bob: the ends of Alice's calls, and of Bob's readers. */
  sentByAlice: Endings;
  receivedByBob: Endings;
  sentByBob: Endings;
  receivedByAlice: Endings;
}

export interface PairOptions {
  /** Bytes of each file. By default it never ends. */
  fileBytes?: number;
  /** True for faults before the server has listed Bob to Alice, who knows of him by his packets only. */
  early?: boolean;
}

export class Pair {
  readonly fixture: LiveKitRoom;
  readonly alice: Member;
  readonly bob: Member;
  readonly #sendings: readonly Sending[];
  readonly #outcome: Promise<Outcome>;

  private constructor(fixture: LiveKitRoom, alice: Member, bob: Member, folder: string, fileBytes: number | undefined) {
    this.fixture = fixture;
    this.alice = alice;
    this.bob = bob;
    const received = [new Receiving(alice.runtime, folder), new Receiving(bob.runtime, folder)] as const;
    const sent = [
      new Sending(alice.runtime, bob.runtime.identity, folder, fileBytes),
      new Sending(bob.runtime, alice.runtime.identity, folder, fileBytes),
    ] as const;
    this.#sendings = sent;
    this.begun = Promise.all(received.map(({ begun }) => begun)).then(() => undefined);
    this.#outcome = Promise.all([sent[0].ended, received[1].ended, sent[1].ended, received[0].ended]).then(
      ([sentByAlice, receivedByBob, sentByBob, receivedByAlice]) => ({
        sentByAlice,
        receivedByBob,
        sentByBob,
        receivedByAlice,
      }),
    );
    this.#outcome.catch(() => {}); // looked at by whoever asks for it
  }

  /** Resolves when something of each stream has come. */
  readonly begun: Promise<void>;

  /** Runs a test while streams are open, in a room of its own. */
  static async underWay(
    rooms: Pick<LiveKitRooms, "in">,
    body: (pair: Pair) => Promise<void>,
    options: PairOptions = {},
  ): Promise<void> {
    await inTemporaryFolder((folder) =>
      rooms.in(async (fixture) => {
        const alice = await fixture.join("alice", { limits: FAULT_LIMITS });
        const bob = await fixture.join("bob", { limits: FAULT_LIMITS });
        if (options.early !== true) await until(() => alice.room.remoteParticipants.has("bob"));
        await fixture.acquaint(alice, bob);
        const pair = new Pair(fixture, alice, bob, folder, options.fileBytes);
        await pair.begun;
        await body(pair);
      })
    );
    assert.equal(unhandled, []);
  }

  /** Lets all streams that have not failed come to their end. */
  finish(): void {
    for (const sending of this.#sendings) sending.finish();
  }

  /** Ends of all streams, within the promised time from now. */
  async outcome(): Promise<Outcome> {
    return await assertInTime(this.#outcome);
  }

  /** Checks that new streams work in both directions. */
  async assertAlive(): Promise<void> {
    await this.fixture.acquaint(this.alice, this.bob);
    const content = new Uint8Array(100_000).fill(1);
    for (const [from, to] of [[this.alice, this.bob], [this.bob, this.alice]] as const) {
      const topic = `alive ${crypto.randomUUID()}`;
      const received = new Promise<Uint8Array>((resolve, reject) => {
        to.runtime.registerByteStreamHandler(topic, (reader) => void reader.readAll().then(resolve, reject));
      });
      received.catch(() => {}); // awaited below, if the call has not failed before
      const { receipts } = await from.runtime.sendBytes(content, { topic, destinationIdentities: [to.runtime.identity] });
      assert.equal(receipts, [{ identity: to.runtime.identity, bytes: content.length }]);
      assert.is((await received).length, content.length);
    }
  }
}

/** Awaits `work`. Fails if that takes longer than promised. */
export async function assertInTime<T>(work: Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work;
  const took = performance.now() - started;
  assert.ok(took < LONGEST_END_MS, `took ${took} ms`);
  return result;
}

/** The same ending for all kinds of streams. */
export function all(ending: Ending): Endings {
  return Object.fromEntries(KINDS.map((kind) => [kind, ending])) as Endings;
}

/** Asserts that streams ended by silence, or by news of a lost participant or connection, whichever came first. */
export function assertGone(endings: readonly Ending[]): void {
  for (const ending of endings) assert.ok(ending === "timeout" || ending === "disconnected", `it ended with "${ending}"`);
}

/** Number of listeners of the SDK's events: a runtime has one for its whole life. */
export function listeners(): number {
  const client = (globalThis as { _ffiClientInstance?: { listenerCount(event: string): number } })._ffiClientInstance;
  return client?.listenerCount("ffi_event") ?? 0;
}
