// Rooms of one server for a test file, each test in its own: Millrace runtimes, and participants who use the SDK plainly.
import { Buffer } from "node:buffer";
import type { VideoGrant } from "livekit-server-sdk";
import { createRuntime, type Runtime, type RuntimeOptions, type SendTextOptions, StreamError } from "../../../mod.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { describeWhenLate } from "../harness.ts";
import { describeRuntime } from "../hub/hub_fixture.ts";
import { closeRooms, connect, disposeAll, type Room } from "./rooms.ts";
import { pause } from "../waiting.ts";
import { startServer, type TestServer } from "../../../bench/support/server.ts";

/** Time until a lost text is sent again, in ms. */
const RETRY_MS = 10;

/** A runtime, and the Room that it has adopted. */
export interface Member {
  readonly runtime: Runtime;
  readonly room: Room;
  /** Errors of `onError`. */
  readonly errors: StreamError[];
}

/** A text that a plain participant's handler has got. */
export interface Heard {
  readonly from: string;
  readonly text: string;
  readonly attributes: Record<string, string>;
}

/** The rooms of a test file on one server. `close` comes when the last test is done. */
export class LiveKitRooms {
  readonly server: TestServer;
  #opened = 0;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(): Promise<LiveKitRooms> {
    return new LiveKitRooms(await startServer());
  }

  /** Runs a test's body in a room of its own, which all leave at the end. */
  async in(body: (room: LiveKitRoom) => Promise<void>): Promise<void> {
    const room = new LiveKitRoom(this.server, `room ${++this.#opened}`);
    try {
      await body(room);
    } catch (error) {
      await room.close().catch(() => {}); // what went wrong first is what is to be read
      throw error;
    }
    await room.close();
  }

  async close(): Promise<void> {
    await disposeAll();
    await this.server[Symbol.asyncDispose]();
  }
}

export class LiveKitRoom {
  readonly server: TestServer;
  readonly name: string;
  readonly #runtimes: Runtime[] = [];
  readonly #members: Member[] = [];
  #step = "its body";

  constructor(server: TestServer, name: string) {
    this.server = server;
    this.name = name;
    describeWhenLate(() => this.#describe());
  }

  /** Awaits `work`, and names it in the message of a test that takes too long. */
  async step<T>(what: string, work: Promise<T>): Promise<T> {
    this.#step = what;
    return await work;
  }

  #describe(): string {
    const members = this.#members.map(({ runtime, room, errors }) => {
      const others = [...room.remoteParticipants.keys()].join(", ");
      const told = errors.map(({ message }) => `\n    ${message}`).join("");
      return `${describeRuntime(runtime)}, its Room is ${room.isConnected ? "" : "not "}connected and knows: ${others}${told}`;
    });
    return `The test waits for ${this.#step}, in "${this.name}"${members.join("")}`;
  }

  /** A participant who uses the SDK and nothing else. */
  plain(identity: string, grants: VideoGrant = {}): Promise<Room> {
    return connect(this.server, identity, this.name, grants);
  }

  /** A participant with a runtime. It knows the present participants; runtimes among them learn of it at once. */
  async join(identity: string, options: Partial<RuntimeOptions> = {}): Promise<Member> {
    return await this.adopt(await this.plain(identity), options);
  }

  async adopt(room: Room, options: Partial<RuntimeOptions> = {}): Promise<Member> {
    const errors: StreamError[] = [];
    const runtime = await createRuntime({ transport: livekit(room), onError: (error) => void errors.push(error), ...options });
    this.#runtimes.push(runtime);
    const member = { runtime, room, errors };
    this.#members.push(member);
    return member;
  }

  /** Resolves when all members know each other as Millrace runtimes. */
  async acquaint(...members: readonly Member[]): Promise<void> {
    const topic = "acquaint";
    for (const { runtime } of members) {
      runtime.registerTextStreamHandler(topic, async (reader) => void await reader.readAll());
    }
    for (const { runtime } of members) {
      const destinationIdentities = members.map(({ runtime: { identity } }) => identity).filter((name) =>
        name !== runtime.identity
      );
      const all = { topic, destinationIdentities, confirm: true };
      while (await receipts(runtime, all) !== destinationIdentities.length);
    }
    for (const { runtime } of members) runtime.unregisterTextStreamHandler(topic);
  }

  /** Alice and Bob, who know each other as Millrace runtimes. */
  async acquaintedPair(): Promise<[Member, Member]> {
    const pair: [Member, Member] = [await this.join("alice"), await this.join("bob")];
    await this.acquaint(...pair);
    return pair;
  }

  async close(): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
    await closeRooms();
  }
}

/** Number of receipts of an empty text. A text is lost that is sent before the runtime knows that its Room's connection is new. */
async function receipts(runtime: Runtime, options: SendTextOptions): Promise<number | undefined> {
  try {
    return (await runtime.sendText("", options)).receipts?.length;
  } catch (error) {
    if (!(error instanceof StreamError) || error.code !== "disconnected") throw error;
    await pause(RETRY_MS);
    return undefined;
  }
}

/** Texts that a handler on the Room itself gets, each added when whole. */
export function heardBy(room: Room, topic: string): Heard[] {
  const heard: Heard[] = [];
  room.registerTextStreamHandler(topic, (reader, { identity }) => {
    const note = (text: string): void => void heard.push({ from: identity, text, attributes: { ...reader.info.attributes } });
    void reader.readAll().then(note, (error: unknown) => note(`failed: ${String(error)}`));
  });
  return heard;
}

/** Bytes that a handler on the Room itself gets, each added when whole. */
export function bytesHeardBy(room: Room, topic: string): Uint8Array[] {
  const heard: Uint8Array[] = [];
  room.registerByteStreamHandler(topic, (reader) => {
    const note = (parts: readonly Uint8Array[]): void => void heard.push(new Uint8Array(Buffer.concat(parts)));
    void reader.readAll().then(note, () => note([]));
  });
  return heard;
}
