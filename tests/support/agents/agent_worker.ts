// A worker of @livekit/agents in a process of its own, whose jobs are further processes, and rooms in which it has one.
import process from "node:process";
import { join } from "node:path";
import { AgentDispatchClient } from "livekit-server-sdk";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { ExampleProgram } from "../livekit/example_program.ts";
import type { LiveKitRoom } from "../livekit/livekit_rooms.ts";
import { until } from "../waiting.ts";

/** Name under which jobs are dispatched. */
const AGENT = "millrace";

/** Line that the agent writes. */
export interface AgentEvent {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** Wishes of a test: see tools/livekit_agents/agent.js. */
export interface JobMetadata {
  readonly linked: string;
  readonly avatar?: string;
  readonly bytes?: number;
  readonly folder?: string;
}

export class AgentWorker implements AsyncDisposable {
  readonly program: ExampleProgram;
  readonly #room: LiveKitRoom;

  private constructor(room: LiveKitRoom) {
    const { url, key, secret } = room.server;
    this.#room = room;
    this.program = new ExampleProgram([process.execPath, join(projectRoot(), "tools", "livekit_agents", "worker.js")], {
      env: { NODE_ENV: "production", LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret },
    });
  }

  /** Starts a worker. Resolves when the server knows it. */
  static async start(room: LiveKitRoom): Promise<AgentWorker> {
    const worker = new AgentWorker(room);
    try {
      await worker.program.printed(/^registered$/m);
      return worker;
    } catch (error) {
      await worker[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Dispatches a job to the room. Resolves with the agent's identity when its session has started. */
  async dispatch(metadata: JobMetadata): Promise<string> {
    const { server: { url, key, secret }, name } = this.#room;
    const dispatches = new AgentDispatchClient(url.replace(/^ws/, "http"), key, secret);
    await dispatches.createDispatch(name, AGENT, { metadata: JSON.stringify(metadata) });
    return String((await this.told("ready"))["identity"]);
  }

  /** Lines that the agent has written. */
  get events(): AgentEvent[] {
    return this.program.out.split("\n").filter((line) => line.startsWith('{"event"')).map((line) =>
      JSON.parse(line) as AgentEvent
    );
  }

  /** Resolves with the first line of an event. */
  async told(name: string): Promise<AgentEvent> {
    const find = (): AgentEvent | undefined => this.events.find(({ event }) => event === name);
    await until(() => find() !== undefined);
    return find() as AgentEvent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
