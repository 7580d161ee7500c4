// Participants that use another SDK plainly, each a program of its own: the other end of the pipe of json_lines.js. A peer ends with its input,
// so that none outlives the test's process, however that ends.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { needed, projectRoot } from "../../../bench/support/programs.ts";
import type { Content, Told } from "./contents.js";

export type PeerKind = "rtc-node-1" | "rtc-node-0.13" | "python" | "browser";

export const PEER_KINDS: readonly PeerKind[] = ["rtc-node-1", "rtc-node-0.13", "python", "browser"];

/** An info as the SDK shows it, under the SDK's own names. */
export type PeerInfo = Record<string, unknown>;

/** A stream that has ended, whole or not. */
export interface Received {
  kind: "text" | "bytes";
  from: string;
  /** Info at the handler's call. */
  info: PeerInfo;
  /** Info at the stream's end: some SDKs put a trailer's attributes into it. */
  infoAtEnd: PeerInfo;
  content: Told;
  /** Number of parts that the reader gave. */
  parts: number;
  /** Error that the reader threw at the end, after the content. */
  error?: string;
}

/** A packet of a stream, in its JSON form of protobuf; of a chunk only its length. */
export interface Recorded {
  from: string;
  kind: "header" | "chunk" | "trailer";
  packet: Record<string, unknown>;
}

/** Options with the same names for all SDKs. A peer whose SDK lacks one rejects. */
export interface PeerOptions {
  topic?: string;
  attributes?: Record<string, string>;
  destinationIdentities?: readonly string[];
  streamId?: string;
  senderIdentity?: string;
  replyToId?: string;
  attachedStreamIds?: readonly string[];
  totalSize?: number;
  name?: string;
  mimeType?: string;
  compress?: boolean;
  attachments?: readonly { name: string; mimeType: string; content: Content }[];
}

/** End of a stream that is written in pieces; `false`: it stays open. */
export type Close = { reason?: string; attributes?: Record<string, string> } | false;

interface Answer {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

type Event =
  | ({ event: "received" } & Received)
  | ({ event: "packet" } & Recorded)
  | { event: "data"; from?: string; topic: string; base64: string }
  | { event: "rpc"; from: string; method: string; payload: string }
  | { event: "disconnected" };

/** Longest tidy end of a peer, in ms. */
const END_MS = 8_000;
/** Number of characters of a peer's standard error that are shown, the last ones, when it ends too early. */
const KEPT_ERRORS = 4_000;

/** Starts a peer and connects it to the token's room. */
export async function startPeer(kind: PeerKind, { url, token }: { url: string; token: string }): Promise<SdkPeer> {
  const peer = new SdkPeer(kind, spawnPeer(kind));
  try {
    await peer.connect(url, token);
    return peer;
  } catch (error) {
    await peer.close();
    throw error;
  }
}

export class SdkPeer implements AsyncDisposable {
  readonly kind: PeerKind;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  readonly #answers = new Map<number, Answer>();
  readonly #events: Event[] = [];
  readonly #waiting = new Set<() => void>();
  #identity = "";
  #commands = 0;
  #errors = "";
  /** Reason why no more events will come. */
  #over: Error | undefined;

  constructor(kind: PeerKind, child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.kind = kind;
    this.#child = child;
    child.stdin.on("error", () => undefined); // it has ended, which is told below
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#errors = (this.#errors + text).slice(-KEPT_ERRORS));
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    this.#ended = new Promise((resolve) => {
      const over = (why: string): void => {
        this.#end(new Error(`The peer ended: kind is "${kind}", ${why}\n${this.#errors}`));
        resolve();
      };
      child.once("error", (error) => over(error.message));
      child.once("close", (code, signal) => over(`code ${code}, signal ${signal}`));
    });
  }

  get identity(): string {
    return this.#identity;
  }

  async connect(url: string, token: string): Promise<void> {
    const { identity } = await this.#command("connect", { url, token }) as { identity: string };
    this.#identity = identity;
  }

  /** Identities of the others, as this peer sees them now. */
  participants(): Promise<string[]> {
    return this.#command("participants") as Promise<string[]>;
  }

  /** Registers a handler that reads all of each stream: see `received`. */
  async listen(kind: "text" | "bytes", topic: string): Promise<void> {
    await this.#command("listen", { kind, topic });
  }

  sendText(content: Content, options?: PeerOptions): Promise<PeerInfo> {
    return this.#send("sendText", { content, options });
  }

  /** Sends bytes in one call, which rtc-node does not have. */
  sendBytes(content: Content, options?: PeerOptions): Promise<PeerInfo> {
    return this.#send("sendBytes", { content, options });
  }

  /** Sends a file with this content, in a folder of the peer's own. */
  sendFile(content: Content, options?: PeerOptions): Promise<PeerInfo> {
    return this.#send("sendFile", { content, options });
  }

  streamText(pieces: readonly Content[], options?: PeerOptions, close?: Close): Promise<PeerInfo> {
    return this.#send("streamText", { pieces, options, close });
  }

  streamBytes(pieces: readonly Content[], options?: PeerOptions, close?: Close): Promise<PeerInfo> {
    return this.#send("streamBytes", { pieces, options, close });
  }

  async publishData(content: Content, options?: PeerOptions): Promise<void> {
    await this.#command("publishData", { content, options });
  }

  performRpc(to: string, method: string, payload: string): Promise<string> {
    return this.#command("performRpc", { to, method, payload }) as Promise<string>;
  }

  async answerRpc(method: string, response: string): Promise<void> {
    await this.#command("answerRpc", { method, response });
  }

  /** Makes each packet of a stream an event "packet" from now on: with rtc-node only. */
  async record(): Promise<void> {
    await this.#command("record");
  }

  /** The next stream that has ended. */
  received(): Promise<Received> {
    return this.next("received");
  }

  /** Next event of a kind that was not asked for yet. Rejects when the peer ends. */
  async next<Name extends Event["event"]>(event: Name): Promise<Extract<Event, { event: Name }>> {
    for (;;) {
      const found = this.#events.findIndex((one) => one.event === event);
      const [next] = found < 0 ? [] : this.#events.splice(found, 1);
      if (next !== undefined) return next as Extract<Event, { event: Name }>;
      if (this.#over !== undefined) throw this.#over;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Events of a kind that have come and were not asked for; they stay. */
  seen<Name extends Event["event"]>(event: Name): Extract<Event, { event: Name }>[] {
    return this.#events.filter((one): one is Extract<Event, { event: Name }> => one.event === event);
  }

  /** Leaves the room; the program goes on. */
  async disconnect(): Promise<void> {
    await this.#command("disconnect");
  }

  /** Ends the program at once, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Leaves the room and ends the program. Idempotent. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.#ended;
    clearTimeout(limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(command: string, input: Record<string, unknown>): Promise<PeerInfo> {
    return this.#command(command, input) as Promise<PeerInfo>;
  }

  #command(command: string, input: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const id = ++this.#commands;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject: (error) => reject(new Error(`${this.kind} ${command}: ${error.message}`)) });
      this.#child.stdin.write(`${JSON.stringify({ id, command, ...input })}\n`);
    });
  }

  /** Lines that are no message are the SDK's log. */
  #take(line: string): void {
    const message = parsed(line);
    if (typeof message?.["event"] === "string") {
      this.#events.push(message as Event);
      this.#wake();
    } else if (typeof message?.["id"] === "number") {
      const answer = this.#answers.get(message["id"]);
      this.#answers.delete(message["id"]);
      if (typeof message["error"] === "string") answer?.reject(new Error(message["error"]));
      else answer?.resolve(message["result"]);
    }
  }

  #end(error: Error): void {
    this.#over ??= error;
    for (const answer of this.#answers.values()) answer.reject(this.#over);
    this.#answers.clear();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function spawnPeer(kind: PeerKind): ChildProcessByStdio<Writable, Readable, Readable> {
  const [program, ...parameters] = commandOf(kind);
  return spawn(program, parameters, {
    cwd: projectRoot(),
    env: { ...process.env, NODE_ENV: "production", ...(kind === "browser" ? { CHROMIUM: needed("chromium") } : {}) },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

function commandOf(kind: PeerKind): [string, ...string[]] {
  const program = (name: string): string => join(projectRoot(), "tests", "support", "peers", name);
  switch (kind) {
    case "rtc-node-1":
      return [node(), program("rtc_node_peer.js"), "1"];
    case "rtc-node-0.13":
      return [node(), program("rtc_node_peer.js"), "0.13"];
    case "browser":
      return [node(), program("browser_peer.js")];
    case "python":
      return [needed("python"), program("python_peer.py")];
  }
}

/** Path of Node, on which the peers run whatever the test runs on. */
function node(): string {
  const onNode = !("Bun" in globalThis) && !("Deno" in globalThis);
  if (onNode) return process.execPath;
  const name = process.platform === "win32" ? "node.exe" : "node";
  const found = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error('Cannot start a peer as there is no Node: PATH has no "node"');
  return found;
}

function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
