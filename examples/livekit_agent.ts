// npm run agent -- --room lobby [--identity agent] [--report FILE] [--inbox FOLDER].
// Runs the agent of agent.ts until Ctrl-C, in a room of the server that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET name. Participants
// ask by Millrace or by a LiveKit SDK alone, as python/ask.py does, or in a page, as web/ does. With --inbox it saves files of the topic
// "files". NODE_ENV=production, set by `npm run agent`, keeps the SDK from logging.
import { basename, join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DisconnectReason, dispose, Room, RoomEvent } from "@livekit/rtc-node";
import { AccessToken } from "livekit-server-sdk";
import { createActor } from "xstate";
import { createRuntime, type Runtime } from "../mod.ts"; // in a program of yours: from "millrace"
import { livekit } from "../transports/livekit/mod.ts"; // "millrace/livekit"
import { agent } from "./agent.ts";

interface ServeOptions {
  /** Resolves at Ctrl-C. */
  readonly interrupted: Promise<undefined>;
  readonly identity: string;
  /** Path of the file that is sent with each answer. */
  readonly report: string;
  /** Folder for the files that participants send; undefined to refuse them. */
  readonly inbox: string | undefined;
}

/** Replaces a language model: call yours here, and yield its tokens. */
async function* think(question: string, signal: AbortSignal): AsyncGenerator<string> {
  const answer =
    `You asked "${question}", and a model would know. What I know is that these words come one by one while a file is on its way.`;
  for (const word of answer.match(/\S+\s*/g) ?? []) {
    await wait(30, undefined, { signal });
    yield word;
  }
}

/** Saves each file that a participant sends, and says so. The sender has a receipt as soon as the file stands in the folder. */
function takeFiles(runtime: Runtime, inbox: string): void {
  runtime.registerByteStreamHandler("files", async (reader, { identity }) => {
    const { path, bytes } = await reader.saveTo(join(inbox, "/"));
    console.log(`${identity} sent ${basename(path)}`);
    await runtime.sendText(`I have ${basename(path)} now, all of its ${bytes.toLocaleString("en")} bytes.`, {
      topic: "answers",
      destinationIdentities: [identity],
      replyToId: reader.info.streamId,
    });
  });
}

/** Runs the agent in a room until Ctrl-C or the room's end. Resolves with the exit code. */
async function serve(room: Room, { interrupted, identity, report, inbox }: ServeOptions): Promise<number> {
  const runtime = await createRuntime({
    transport: livekit(room),
    onError: (error) => console.error(error.message), // errors that no call rejects with, such as an unhandled stream
  });
  const actor = createActor(agent, { input: { runtime, report, think } });
  actor.on("conversation.ended", ({ asker, question, failures }) => {
    console.log(`${asker} asked: ${question}`);
    for (const error of failures) console.error(`  ${error instanceof Error ? error.message : String(error)}`);
  });
  if (inbox !== undefined) takeFiles(runtime, inbox);
  try {
    const ending = Promise.race([interrupted, untilDisconnected(room)]);
    actor.start();
    console.log(`${identity} listens in room "${room.name}"`);
    const lost = await ending;
    if (lost !== undefined) console.error(`Cannot go on as the room has ended: reason is ${lost}`);
    return lost === undefined ? 0 : 1;
  } finally {
    actor.stop(); // aborts open streams at both ends
    await runtime.close();
  }
}

/** Resolves with the reason at the room's end. */
function untilDisconnected(room: Room): Promise<string> {
  return new Promise((resolve) => {
    room.once(RoomEvent.Disconnected, (reason) => resolve(DisconnectReason[reason] ?? String(reason)));
  });
}

/** Resolves on a signal. npm may pass on a second signal, so handlers stay. */
function untilInterrupted(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => resolve(undefined));
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      room: { type: "string" },
      identity: { type: "string", default: "agent" },
      report: { type: "string" },
      inbox: { type: "string" },
    },
  });
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret } = process.env;
  const { room: name, identity, report = fileURLToPath(import.meta.url), inbox } = values; // the default report is this program
  if (name === undefined) throw new Error("Cannot join as a room must be given: give --room NAME");
  if (!url || !key || !secret) {
    throw new Error("Cannot join as the server must be given: set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET");
  }
  const token = new AccessToken(key, secret, { identity });
  token.addGrant({ roomJoin: true, room: name, canPublishData: true });
  const interrupted = untilInterrupted();
  const room = new Room();
  try {
    const connecting = room.connect(url, await token.toJwt(), { autoSubscribe: false, dynacast: false });
    await Promise.race([connecting, interrupted]);
    return room.isConnected ? await serve(room, { interrupted, identity, report, inbox }) : 0;
  } finally {
    await room.disconnect();
    await dispose(); // without this the process would not end
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
