// Participants as processes, and pairs of them: a sender and a receiver in a room of their own. The SDK's targeted streams reach everybody in
// a room.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { programCommand } from "../support/program_command.ts";
import { needed, projectRoot } from "../support/programs.ts";
import type { TestServer } from "../support/server.ts";
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

export type Kind = "millrace" | "rtc-node" | "python";

/** A stream that was read to its end. */
export interface Ended {
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
  text: [TextCommand, { began: number }];
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
}

/** Time-out of a step, in ms. */
const STEP_MS = 120_000;
/** Longest time in which a participant leaves its room, in ms. */
const END_MS = 8_000;
const KEPT_ERRORS = 4_000;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process that takes commands. It ends with its input, so that it cannot outlive this one. */
export class Participant {
  readonly identity: string;
  readonly kind: Kind;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #gone: Promise<void>;
  readonly #waiting = new Map<number | "ended", Waiting>();
  readonly #ended: Ended[] = [];
  #commands = 0;
  #errors = "";
  #over: Error | undefined;

  constructor(kind: Kind, identity: string) {
    this.kind = kind;
    this.identity = identity;
    const [program, ...args] = commandOf(kind);
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, NODE_ENV: "production" } });
    this.#child.stdin.on("error", () => {}); // it has ended, which is told below
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#errors = (this.#errors + text).slice(-KEPT_ERRORS));
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#take(line));
    this.#gone = new Promise((resolve) => {
      const over = (why: string): void => {
        this.#end(new Error(`Cannot measure as a participant ended: identity is "${identity}", ${why}\n${this.#errors}`));
        resolve();
      };
      this.#child.once("error", (error) => over(error.message));
      this.#child.once("close", (code, signal) => over(`code is ${code}, signal is ${signal}`));
    });
  }

  async ask<Name extends keyof Commands>(command: Name, input: Commands[Name][0]): Promise<Commands[Name][1]> {
    const id = this.#commands++;
    const answer = this.#wait(id, command);
    this.#child.stdin.write(`${JSON.stringify({ id, command, ...input })}\n`);
    return await answer as Commands[Name][1];
  }

  /** Resolves with the next stream that was read to its end. Throws if it has another length. */
  async ended(bytes: number): Promise<Ended> {
    const ended = this.#ended.shift() ?? await this.#wait("ended", "ended") as Ended;
    if (ended.bytes !== bytes) {
      throw new Error(`Cannot measure as a stream was not whole: bytes are ${ended.bytes} of ${bytes}, ${ended.error ?? ""}`);
    }
    return ended;
  }

  /** Leaves the room. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.#gone;
    clearTimeout(limit);
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  async #wait(id: number | "ended", step: string): Promise<unknown> {
    if (this.#over !== undefined) throw this.#over;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        const late = `Cannot measure as a step took longer than ${STEP_MS} ms: identity is "${this.identity}", step is "${step}"`;
        timer = setTimeout(() => reject(new Error(`${late}\n${this.#errors}`)), STEP_MS);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Lines that are no message are the SDK's log. */
  #take(line: string): void {
    if (!line.startsWith("{")) return;
    const message = JSON.parse(line) as { id?: number; result?: unknown; error?: string; event?: "ended" };
    if (message.event !== undefined) {
      const waiting = this.#waiting.get("ended");
      if (waiting === undefined) this.#ended.push(message as unknown as Ended);
      else {
        this.#waiting.delete("ended");
        waiting.resolve(message);
      }
    } else if (message.id !== undefined) {
      const waiting = this.#waiting.get(message.id);
      if (message.error === undefined) waiting?.resolve(message.result);
      else waiting?.reject(new Error(`Cannot measure as a step failed: identity is "${this.identity}", ${message.error}`));
    }
  }

  #end(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
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
  return programCommand("bench/livekit/participant", kind);
}
