// Members of a job and of its Room that are used, of `@livekit/agents` 1.9 and `@livekit/rtc-node` 0.13. No type of theirs is imported.
import type { RtcNodeRoom } from "../../transports/livekit/mod.ts";

/** Context of a job: `JobContext` of `@livekit/agents`. */
export interface AgentJob {
  /** The job's Room, which agents connects and disconnects. */
  readonly room: AgentRoom;
  /** True in the console, where a job has no room. */
  readonly isFakeJob?: boolean;
  /** Connects the Room, unless it is connected. */
  connect(): Promise<void>;
  /** Adds a call that agents makes once the Room is disconnected. */
  addShutdownCallback(callback: () => Promise<void>): void;
}

/** Room of a job: `Room` of `@livekit/rtc-node`. */
export interface AgentRoom extends RtcNodeRoom {
  /** Leaves the room. */
  disconnect(): Promise<void>;
}

/** Room of an avatar's speaker, with its calls. */
export interface CallingRoom {
  /** This participant; undefined before the Room is connected. */
  readonly localParticipant?: Caller | undefined;
  /** Other participants, by identity. */
  readonly remoteParticipants: ReadonlyMap<string, unknown>;
  /** Listens to an event of the Room. */
  // deno-lint-ignore no-explicit-any -- any typed emitter of events matches
  on(event: any, listener: any): unknown;
  /** Ends that. */
  // deno-lint-ignore no-explicit-any -- as above
  off(event: any, listener: any): unknown;
}

/** Calls of a participant to others, and theirs to it. */
export interface Caller {
  /** Calls a method of another participant. */
  performRpc(call: { destinationIdentity: string; method: string; payload: string }): Promise<string>;
  /** Answers calls of a method, and replaces an earlier answer. */
  registerRpcMethod(method: string, answer: (call: RpcCall) => Promise<string>): void;
  /** Ends that. */
  unregisterRpcMethod(method: string): void;
}

/** Call of another participant. */
export interface RpcCall {
  /** Identity of the caller, from the server. */
  readonly callerIdentity: string;
  /** The caller's text. */
  readonly payload: string;
}
