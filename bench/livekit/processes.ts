// Participants as processes, and pairs of them: a sender and a receiver in a room of their own. The SDK's targeted streams reach everybody in
// a room.
import { join } from "node:path";
import { JsonLinesProcess } from "../support/json_lines_process.ts";
import { programCommand } from "../support/program_command.ts";
import { needed, projectRoot } from "../support/programs.ts";
import type { TestServer } from "../support/server.ts";
import type { LongestTasks } from "../browser/task_trace.ts";
import { type Holds, wait } from "../probe.ts";
import type {
  BackgroundCommand,
  BackgroundTraffic,
  Heard,
  HoldCommand,
  Listening,
  OfferCommand,
  SendCommand,
  TextCommand,
} from "./commands.ts";

/** Program of a participant; "page" and "livekit-client" are pages of Chromium, by Millrace and by the SDK. */
export type Kind = "millrace" | "rtc-node" | "python" | PageKind;

/** Kind of a page. */
export type PageKind = "page" | "livekit-client";

/** A stream that was read to its end. */
export interface Ended {
  readonly event: "ended";
  readonly bytes: number;
  readonly at: number;
  readonly error?: string;
}

interface Commands {
  connect: [{ url: string; token: string }, unknown];
  others: [object, string[]];
  clock: [object, number];
  usage: [object, { cpu: number }];
  listen: [Listening, unknown];
  /** Absent in Python. */
  prepare: [SendCommand, unknown];
  send: [SendCommand, { began: number; done: number }];
  text: [TextCommand, { began: number; done: number }];
  hold: [HoldCommand, Holds];
  offer: [OfferCommand, unknown];
  offered: [object, number];
  taken: [object, number];
  hear: [object, unknown];
  heard: [object, Heard];
  startBackground: [BackgroundCommand, unknown];
  stopBackground: [object, BackgroundTraffic];
  watchHolds: [object, unknown];
  holds: [object, Holds | null];
  watchMemory: [object, unknown];
  memory: [object, number];
  /** In pages: the longest tasks of the main thread, in ms. */
  watchTasks: [object, unknown];
  tasks: [object, LongestTasks];
  /** In pages: begins a send that is not awaited, watched for holds. */
  begin: [SendCommand, unknown];
  /** In pages: chunks that the Room has seen. */
  chunks: [object, number];
}

/** Time-out of a step, in ms. */
const STEP_MS = 120_000;

/** A participant in a process of its own. */
export class Participant {
  readonly identity: string;
  readonly kind: Kind;
  readonly #process: JsonLinesProcess<Ended>;

  constructor(kind: Kind, identity: string) {
    this.kind = kind;
    this.identity = identity;
    this.#process = new JsonLinesProcess({
      command: commandOf(kind),
      describe: (what, why) => `Cannot measure as a participant ${what}: identity is "${identity}", ${why}`,
    });
  }

  async ask<Name extends keyof Commands>(command: Name, input: Commands[Name][0]): Promise<Commands[Name][1]> {
    return await this.#inTime(this.#process.ask(command, input), command) as Commands[Name][1];
  }

  /** Resolves with the next stream that was read to its end. Throws if it has another length. */
  async ended(bytes: number): Promise<Ended> {
    const ended = await this.#inTime(this.#process.next("ended"), "ended");
    if (ended.bytes !== bytes) {
      throw new Error(`Cannot measure as a stream was not whole: bytes are ${ended.bytes} of ${bytes}, ${ended.error ?? ""}`);
    }
    return ended;
  }

  /** Leaves the room. */
  async close(): Promise<void> {
    await this.#process.close();
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  async #inTime<T>(work: Promise<T>, step: string): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const why = `took longer than ${STEP_MS} ms: identity is "${this.identity}", step is "${step}"`;
      timer = setTimeout(() => reject(new Error(`Cannot measure as a step ${why}\n${this.#process.errors}`)), STEP_MS);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

export interface Pair {
  readonly sender: Participant;
  readonly receiver: Participant;
}

/** Starts pairs, and ends them on disposal. */
export class Processes implements AsyncDisposable {
  readonly #server: TestServer;
  readonly #started: Participant[] = [];
  #rooms = 0;

  constructor(server: TestServer) {
    this.#server = server;
  }

  /**
   * A pair in a room of its own. The receiver joins first: a server lists present participants at once, but newcomers without tracks only
   * within seconds.
   */
  async pair(sending: Kind, receiving: Kind): Promise<Pair> {
    const room = `bench ${this.#rooms++}`;
    const receiver = this.#start(receiving, `${receiving} receiver`);
    const sender = this.#start(sending, `${sending} sender`);
    await this.#join(receiver, room);
    await this.#join(sender, room);
    while ((await sender.ask("others", {})).length === 0) await wait(20);
    return { sender, receiver };
  }

  /** A further participant of the last pair's room. */
  async bystander(kind: Kind): Promise<Participant> {
    const participant = this.#start(kind, `${kind} bystander`);
    await this.#join(participant, `bench ${this.#rooms - 1}`);
    return participant;
  }

  /** Ends both processes at once. */
  async kill({ sender, receiver }: Pair): Promise<void> {
    await Promise.all([sender.kill(), receiver.kill()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((participant) => participant.close()));
  }

  #start(kind: Kind, identity: string): Participant {
    const participant = new Participant(kind, identity);
    this.#started.push(participant);
    return participant;
  }

  async #join(participant: Participant, room: string): Promise<void> {
    const { url } = this.#server;
    await participant.ask("connect", { url, token: await this.#server.token(participant.identity, room) });
  }
}

function commandOf(kind: Kind): [string, ...string[]] {
  if (kind === "python") return [needed("python"), join(projectRoot(), "bench", "livekit", "participant.py")];
  if (kind === "page" || kind === "livekit-client") return programCommand("bench/browser/participant", kind);
  return programCommand("bench/livekit/participant", kind);
}
