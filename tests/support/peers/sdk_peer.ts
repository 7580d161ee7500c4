// Participants that use another SDK plainly, each a program of its own: the other end of the pipe of json_lines.js. A peer ends with its input,
// so that none outlives the test's process, however that ends.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { JsonLinesProcess } from "../../../bench/support/json_lines_process.ts";
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

type Event =
  | ({ event: "received" } & Received)
  | ({ event: "packet" } & Recorded)
  | { event: "data"; from?: string; topic: string; base64: string }
  | { event: "rpc"; from: string; method: string; payload: string }
  | { event: "disconnected" };

/** Starts a peer and connects it to the token's room. */
export async function startPeer(kind: PeerKind, { url, token }: { url: string; token: string }): Promise<SdkPeer> {
  const peer = new SdkPeer(kind);
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
  readonly #process: JsonLinesProcess<Event>;
  #identity = "";

  constructor(kind: PeerKind) {
    this.kind = kind;
    this.#process = new JsonLinesProcess({
      command: commandOf(kind),
      cwd: projectRoot(),
      env: kind === "browser" ? { CHROMIUM: needed("chromium") } : {},
      describe: (what, why) => `The peer ${what}: kind is "${kind}", ${why}`,
    });
  }

  get identity(): string {
    return this.#identity;
  }

  async connect(url: string, token: string): Promise<void> {
    const { identity } = await this.#process.ask("connect", { url, token }) as { identity: string };
    this.#identity = identity;
  }

  /** Identities of the others, as this peer sees them now. */
  participants(): Promise<string[]> {
    return this.#process.ask("participants") as Promise<string[]>;
  }

  /** Registers a handler that reads all of each stream: see `received`. */
  async listen(kind: "text" | "bytes", topic: string): Promise<void> {
    await this.#process.ask("listen", { kind, topic });
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
    await this.#process.ask("publishData", { content, options });
  }

  performRpc(to: string, method: string, payload: string): Promise<string> {
    return this.#process.ask("performRpc", { to, method, payload }) as Promise<string>;
  }

  async answerRpc(method: string, response: string): Promise<void> {
    await this.#process.ask("answerRpc", { method, response });
  }

  /** Makes each packet of a stream an event "packet" from now on: with rtc-node only. */
  async record(): Promise<void> {
    await this.#process.ask("record");
  }

  /** The next stream that has ended. */
  received(): Promise<Received> {
    return this.next("received");
  }

  /** Next event of a kind that was not asked for yet. Rejects when the peer ends. */
  next<Name extends Event["event"]>(event: Name): Promise<Extract<Event, { event: Name }>> {
    return this.#process.next(event);
  }

  /** Events of a kind that have come and were not asked for; they stay. */
  seen<Name extends Event["event"]>(event: Name): Extract<Event, { event: Name }>[] {
    return this.#process.seen(event);
  }

  /** Leaves the room; the program goes on. */
  async disconnect(): Promise<void> {
    await this.#process.ask("disconnect");
  }

  /** Ends the program at once, as a crash does. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Leaves the room and ends the program. Idempotent. */
  async close(): Promise<void> {
    await this.#process.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(command: string, input: Record<string, unknown>): Promise<PeerInfo> {
    return this.#process.ask(command, input) as Promise<PeerInfo>;
  }
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
