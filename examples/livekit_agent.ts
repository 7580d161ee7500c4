// npm run agent -- --room lobby [--identity agent] [--report FILE]
// The agent of agent.ts in a room of the LiveKit server that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name, until Ctrl-C. Any
// participant may ask it, with Millrace or with a LiveKit SDK alone: python/ask.py does. NODE_ENV=production, which `npm run agent` sets,
// keeps the SDK from logging.
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DisconnectReason, dispose, Room, RoomEvent } from "@livekit/rtc-node";
import { AccessToken } from "livekit-server-sdk";
import { createActor } from "xstate";
import { createRuntime } from "../mod.ts"; // in a program of yours: from "millrace"
import { livekit } from "../transports/livekit/mod.ts"; // "millrace/livekit"
import { agent } from "./agent.ts";

/** Stands in for a language model: here yours would be called, and what it yields be yielded. */
async function* think(question: string, signal: AbortSignal): AsyncGenerator<string> {
  const answer =
    `You asked "${question}", and a model would know. What I know is that these words come one by one while a file is on its way.`;
  for (const word of answer.match(/\S+\s*/g) ?? []) {
    await wait(30, undefined, { signal });
    yield word;
  }
}

/** Resolves with the exit code. */
async function serve(room: Room, identity: string, report: string): Promise<number> {
  const runtime = await createRuntime({
    transport: livekit(room),
    onError: (error) => console.error(error.message), // what no call of ours rejects with: a stream nobody here wants, say
  });
  const actor = createActor(agent, { input: { runtime, report, think } });
  actor.on("conversation.ended", ({ asker, question, failures }) => {
    console.log(`${asker} asked: ${question}`);
    for (const error of failures) console.error(`  ${error instanceof Error ? error.message : String(error)}`);
  });
  try {
    const ending = untilEnd(room);
    actor.start();
    console.log(`${identity} listens in room "${room.name}"`);
    const lost = await ending;
    if (lost !== undefined) console.error(`Cannot go on as the room is gone: reason is ${lost}`);
    return lost === undefined ? 0 : 1;
  } finally {
    actor.stop(); // aborts what it is sending, at the other end too
    await runtime.close();
  }
}

/** Resolves with the reason when the room is gone; with undefined by a signal, of which npm may pass on a second one. */
function untilEnd(room: Room): Promise<string | undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => resolve(undefined));
    room.once(RoomEvent.Disconnected, (reason) => resolve(DisconnectReason[reason] ?? String(reason)));
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { room: { type: "string" }, identity: { type: "string", default: "agent" }, report: { type: "string" } },
  });
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret } = process.env;
  const { room: name, identity, report = fileURLToPath(import.meta.url) } = values; // by default this program is the report
  if (name === undefined) throw new Error("Cannot join as no room is named: give --room NAME");
  if (!url || !key || !secret) {
    throw new Error("Cannot join as the server is not known: set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET");
  }
  const token = new AccessToken(key, secret, { identity });
  token.addGrant({ roomJoin: true, room: name, canPublishData: true });
  const room = new Room();
  try {
    await room.connect(url, await token.toJwt(), { autoSubscribe: false, dynacast: false });
    return await serve(room, identity, report);
  } finally {
    await room.disconnect();
    await dispose(); // without it the process would not end
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
