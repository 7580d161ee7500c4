// Open streams with a participant whose process is killed: a Millrace runtime's, or a plain one of LiveKit's SDK.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import * as assert from "uvu/assert";
import { programCommand } from "../../../bench/support/program_command.ts";
import type { StreamError } from "../../../errors.ts";
import { suite } from "../../support/harness.ts";
import { rejection } from "../../support/rejections.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { type LiveKitRoom, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { startPeer } from "../../support/peers/sdk_peer.ts";
import { assertGone, assertInTime } from "../../support/livekit/pair.ts";
import { type Ending, FAULT_LIMITS, Receiving, Sending } from "../../support/livekit/traffic.ts";
import { until } from "../../support/waiting.ts";

const test = suite("killed participants");
const rooms = await LiveKitRooms.start();

test(
  "killed: streams end when a Millrace runtime's process is killed",
  () =>
    inTemporaryFolder((folder) =>
      rooms.in(async (fixture) => {
        const alice = await fixture.join("alice", { limits: FAULT_LIMITS });
        const receiving = new Receiving(alice.runtime, folder);
        const bob = await startMember(fixture, "bob", "alice", folder);
        try {
          await until(() => alice.room.remoteParticipants.has("bob"));
          const sending = new Sending(alice.runtime, "bob", folder);
          await Promise.all([receiving.begun, bob.underWay]);
          bob.child.kill("SIGKILL");
          const [sent, received] = await assertInTime(Promise.all([sending.ended, receiving.ended]));
          for (const endings of [sent, received]) assertGone(Object.values(endings));
        } finally {
          bob.child.kill("SIGKILL");
        }
      })
    ),
  { seconds: 60 },
);

test("killed: streams end when the process of a plain SDK participant is killed", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice", { limits: FAULT_LIMITS });
    await using plain = await startPeer("rtc-node-1", {
      url: fixture.server.url,
      token: await fixture.server.token("plain", fixture.name),
    });
    await until(() => alice.room.remoteParticipants.has("plain"));
    const text = drain((handler) => alice.runtime.registerTextStreamHandler("text", handler));
    const bytes = drain((handler) => alice.runtime.registerByteStreamHandler("bytes", handler));
    const file = drain((handler) => alice.runtime.registerByteStreamHandler("file", handler));
    const to = (topic: string): { topic: string; destinationIdentities: string[] } => ({
      topic,
      destinationIdentities: ["alice"],
    });
    await plain.streamText([{ text: "hello" }], to("text"), false);
    await plain.streamBytes([{ length: 100_000, seed: 1 }], to("bytes"), false);
    const sendingFile = plain.sendFile({ length: 50_000_000, seed: 2 }, to("file")).catch((error: Error) => error);
    await plain.listen("text", "words");
    const writer = await alice.runtime.streamText({ topic: "words", destinationIdentities: ["plain"] });
    await writer.write("hello");
    await Promise.all([text.begun, bytes.begun, file.begun]);
    await plain.kill();
    assert.instance(await sendingFile, Error);
    // Until the server says that the participant has left, after 20 s or more, the sender cannot know that nothing is received.
    await writer.write("again");
    await alice.runtime.sendText("more", { topic: "words", destinationIdentities: ["plain"] });
    assertGone(await assertInTime(Promise.all([text.ended, bytes.ended, file.ended])));
  }), { seconds: 60 });

test("leaving: streams end when a plain SDK participant leaves", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice", { limits: FAULT_LIMITS });
    await using plain = await startPeer("rtc-node-1", {
      url: fixture.server.url,
      token: await fixture.server.token("plain", fixture.name),
    });
    await until(() => alice.room.remoteParticipants.has("plain"));
    const text = drain((handler) => alice.runtime.registerTextStreamHandler("text", handler));
    await plain.streamText([{ text: "hello" }], { topic: "text", destinationIdentities: ["alice"] }, false);
    const writer = await alice.runtime.streamText({ topic: "words", destinationIdentities: ["plain"] });
    await text.begun;
    await plain.disconnect();
    assert.is(await assertInTime(text.ended), "disconnected");
    await rejection(() => writer.write("again"), "disconnected");
  }));

test.after(() => rooms.close());
test.run();

async function startMember(
  fixture: LiveKitRoom,
  identity: string,
  to: string,
  folder: string,
): Promise<{ child: ChildProcess; underWay: Promise<unknown> }> {
  const token = await fixture.server.token(identity, fixture.name);
  const [program, ...args] = programCommand("tests/fixtures/livekit_member", fixture.server.url, token, to, folder);
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production" }, // which Bun reads before the program does
  });
  return { child, underWay: once(createInterface({ input: child.stdout }), "line") };
}

/** Reads the next stream. Gives its end. */
function drain<Reader extends AsyncIterable<unknown>>(
  register: (handler: (reader: Reader) => Promise<void>) => void,
): { begun: Promise<void>; ended: Promise<Ending> } {
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const ended = new Promise<Ending>((resolve) => {
    register(async (reader) => {
      try {
        for await (const part of reader) if (part !== undefined) begin();
        resolve("whole");
      } catch (error) {
        resolve((error as StreamError).code);
      }
    });
  });
  return { begun, ended };
}
