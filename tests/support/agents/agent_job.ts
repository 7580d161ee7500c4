// Jobs of a real worker of @livekit/agents, in a room with two participants: one has a Millrace runtime, one LiveKit's SDK alone.
import type { StreamError } from "../../../errors.ts";
import type { Room } from "../livekit/rooms.ts";
import type { LiveKitRoom, LiveKitRooms, Member } from "../livekit/livekit_rooms.ts";
import { AgentWorker, type JobMetadata } from "./agent_worker.ts";

/** Limit of a test: a worker and its job each load the SDK. */
export const JOB_SECONDS = { seconds: 100 };

export interface AgentJobs {
  readonly room: LiveKitRoom;
  readonly alice: Member;
  readonly bob: Room;
  /** Identity of the agent. */
  readonly agent: string;
  readonly worker: AgentWorker;
  /** Asks the agent for an act of tools/livekit_agents/agent.js. */
  ask(topic: string, text?: string): Promise<void>;
}

/** Runs a test with an agent, in a room of its own. What the worker has written is in the message of a failure. */
export async function inJob(
  rooms: LiveKitRooms,
  metadata: JobMetadata,
  body: (job: AgentJobs) => Promise<void>,
  before: (alice: Member, room: LiveKitRoom) => Promise<void> | void = () => {},
): Promise<void> {
  await rooms.in(async (room) => {
    await using worker = await room.step("a worker", AgentWorker.start(room));
    try {
      const [alice, bob] = [await room.join("alice"), await room.plain("bob")];
      await before(alice, room);
      const agent = await room.step("a job", worker.dispatch(metadata));
      const ask = async (topic: string, text = ""): Promise<void> => {
        await alice.runtime.sendText(text, { topic, destinationIdentities: [agent] });
      };
      await room.step("the body, with an agent", body({ room, alice, bob, agent, worker, ask }));
    } catch (error) {
      const { stack = String(error) } = error as Error;
      throw new Error(`${stack}\nThe worker has written:\n${worker.program.out}\n${worker.program.complaints}`, { cause: error });
    }
  });
}

/** Receives the next file of a job. `ended` resolves with its bytes, or its error. */
export function receiveFile({ runtime }: Member): { begun: Promise<void>; ended: Promise<number | StreamError> } {
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const ended = new Promise<number | StreamError>((resolve) => {
    runtime.registerByteStreamHandler("report", async (reader) => {
      let bytes = 0;
      try {
        for await (const part of reader) {
          bytes += part.length;
          begin();
        }
        resolve(bytes);
      } catch (error) {
        resolve(error as StreamError);
      }
    });
  });
  return { begun, ended };
}
