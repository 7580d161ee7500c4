// Meeting in a LiveKit room: the one file that knows LiveKit.
import { Room, RoomEvent } from "livekit-client";
import type { Transport } from "millrace";
import { livekit } from "millrace/livekit";

/** Room that this tab is in. */
export interface Meeting {
  readonly transport: Transport;
  /** Identity of the agent. */
  readonly agent: string;
  /** Resolves when the room has ended. */
  readonly ended: Promise<void>;
}

/** Asks this page's server for a token, and connects. */
export async function meet(as: "guest" | "bystander"): Promise<Meeting> {
  const response = await fetch(`./token?as=${as}`);
  if (!response.ok) throw new Error(`Cannot get a token: ${await response.text()}`);
  const { url, token, agent } = await response.json() as { url: string; token: string; agent: string };
  const room = new Room();
  const ended = new Promise<void>((resolve) => void room.once(RoomEvent.Disconnected, () => resolve()));
  await room.connect(url, token, { autoSubscribe: false });
  return { transport: livekit(room), agent, ended };
}
