// Speech for an avatar: streams, back-pressure, what the avatar tells, and ends that a session must hear of.
import * as assert from "uvu/assert";
import { type AvatarAudioOptions, avatarAudioOutput } from "../../integrations/livekit_agents/mod.ts";
import type { ByteStreamInfo, Runtime, StreamError } from "../../mod.ts";
import { FakeAudioOutput, FakeAvatarRoom, type FakeFrame, frame } from "../support/agents/fake_avatar_room.ts";
import { suite } from "../support/harness.ts";
import { collectReaders, last } from "../support/handlers.ts";
import { type HubFixture, inRealTime, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const TOPIC = "lk.audio_stream";

/** Window of an avatar that does not read, in bytes, and the samples of a frame: a sixth of it. */
const WINDOW = 60_000;
const SAMPLES = 5_000;

const test = suite("avatarAudioOutput");

interface Stage {
  readonly room: HubFixture;
  readonly calls: FakeAvatarRoom;
  readonly runtime: Runtime;
  readonly errors: StreamError[];
  output(options?: Partial<AvatarAudioOptions>): FakeAudioOutput;
}

/** An agent in a room where an avatar may join. */
async function onStage(room: HubFixture): Promise<Stage> {
  const { runtime } = await room.join("agent");
  const calls = new FakeAvatarRoom();
  const errors: StreamError[] = [];
  const onError = (error: StreamError): void => void errors.push(error);
  const output = (options: Partial<AvatarAudioOptions> = {}): FakeAudioOutput =>
    avatarAudioOutput(FakeAudioOutput, runtime, { room: calls, identity: "avatar", onError, ...options });
  return { room, calls, runtime, errors, output };
}

/** Streams that the avatar gets, each added when whole. */
function speechTo({ runtime }: { runtime: Runtime }): { info: ByteStreamInfo; samples: Int16Array }[] {
  const speech: { info: ByteStreamInfo; samples: Int16Array }[] = [];
  runtime.registerByteStreamHandler(TOPIC, async (reader) => {
    const bytes = await reader.readAll();
    speech.push({ info: reader.info, samples: new Int16Array(bytes.slice().buffer) });
  });
  return speech;
}

/** Captures frames, each when the one before was taken, as a session does. */
function speak(output: FakeAudioOutput, frames: number): { frames: number; done: Promise<void> } {
  const speech = { frames: 0, done: Promise.resolve() };
  speech.done = (async () => {
    for (let n = 0; n < frames; n++) {
      await output.captureFrame(frame(SAMPLES));
      speech.frames++;
    }
  })();
  return speech;
}

test("avatarAudioOutput: each segment is a byte stream for the avatar alone, which tells when it was played", () =>
  inRealTime(async (room) => {
    const { calls, errors, output: make } = await onStage(room);
    const [avatar, bob] = [await room.join("avatar"), await room.join("bob")];
    const [speech, others] = [speechTo(avatar), speechTo(bob)];
    const output = make({ sampleRate: 24_000 });
    assert.instance(output, FakeAudioOutput);
    assert.equal([output.sampleRate, output.canPause], [24_000, false]);
    for (const value of [1, 2]) {
      await output.captureFrame(frame(480, value));
      await output.captureFrame(frame(20_000, value));
      output.flush();
      await until(() => speech.length === value);
    }
    const [first] = speech;
    assert.equal(first?.info.attributes, { sample_rate: "24000", num_channels: "1" });
    assert.match(first?.info.name ?? "", /^AUDIO_.{10}/);
    assert.equal(speech.map(({ samples }) => [samples.length, new Set(samples)]), [[20_480, new Set([1])], [
      20_480,
      new Set([2]),
    ]]);
    assert.equal([output.told, output.segments], [["started", "started"], 2]);

    const played = { playback_position: 1.5, interrupted: false, synchronized_transcript: ", It depends" };
    assert.is(await calls.call("avatar", "lk.playback_finished", played), "ok");
    assert.is(await calls.call("avatar", "lk.playback_finished", "null"), "ok"); // whatever it writes, the segment has ended
    assert.is(await calls.call("avatar", "lk.playback_finished"), "ok"); // once too often
    assert.equal(output.told.slice(2), ["played at 1.5, It depends", "played at 0"]);
    assert.equal([errors, others], [[], []]);
  }));

test("avatarAudioOutput: an avatar that does not read holds the speech back", () =>
  inVirtualTime(async (room) => {
    const { output: make } = await onStage(room);
    const avatar = await room.join("avatar", { limits: { receiveWindow: WINDOW } });
    const readers = collectReaders(avatar.runtime, TOPIC);
    const output = make();
    const speech = speak(output, 20);
    await room.time.advance(1_000);
    assert.ok(speech.frames <= 7, `${speech.frames} frames were taken, for a window of six`);
    const reading = last(readers).readAll();
    await room.time.run(speech.done);
    assert.is(speech.frames, 20);
    output.flush();
    assert.is((await room.time.run(reading)).length, 20 * 2 * SAMPLES);
  }));

test("AudioOutput.clearBuffer(): frees a held frame, drops the rest of the segment, and asks the avatar to do so", () =>
  inVirtualTime(async (room) => {
    const { calls, errors, output: make } = await onStage(room);
    const avatar = await room.join("avatar", { limits: { receiveWindow: WINDOW } });
    const readers = collectReaders(avatar.runtime, TOPIC);
    const output = make();
    output.clearBuffer(); // nothing to clear
    assert.equal(calls.calls, []);
    const speech = speak(output, 20);
    await room.time.advance(1_000);
    const held = speech.frames;
    assert.ok(held <= 7, `${held} frames were taken, for a window of six`);
    output.clearBuffer();
    await room.time.run(speech.done);
    output.flush();
    assert.equal(calls.calls, ["lk.clear_buffer to avatar"]);
    await calls.call("avatar", "lk.playback_finished", { playback_position: 0.2, interrupted: true });
    assert.equal(output.told, ["started", "interrupted at 0.2"]);
    assert.is((await room.time.run(last(readers).readAll())).length, (held + 1) * 2 * SAMPLES); // and the frame that was held

    await room.time.run(output.captureFrame(frame(480)));
    output.flush();
    await room.time.advance(100);
    assert.is((await room.time.run(last(readers).readAll())).length, 960);
    assert.equal([output.segments, output.told.length, errors], [2, 3, []]);
  }));

test("AudioOutput.clearBuffer(): an avatar that does not answer counts as interrupted", () =>
  inRealTime(async (room) => {
    const { calls, errors, output: make } = await onStage(room);
    speechTo(await room.join("avatar"));
    const output = make();
    calls.fails = new Error("no such method");
    await output.captureFrame(frame(480));
    output.flush();
    output.clearBuffer();
    await until(() => output.told.length === 2);
    assert.equal(output.told, ["started", "interrupted at 0"]);
    assert.equal(errors.map(({ code, message }) => `${code} ${message}`), [
      "transport Cannot send speech to the avatar: Error: no such method",
    ]);
  }));

test("avatarAudioOutput: with waitPlaybackStart the avatar tells when it begins", () =>
  inRealTime(async (room) => {
    const { calls, output: make } = await onStage(room);
    speechTo(await room.join("avatar"));
    const output = make({ waitPlaybackStart: true });
    await output.captureFrame(frame(480));
    assert.equal(output.told, []);
    assert.is(await calls.call("avatar", "lk.playback_started"), "ok");
    assert.equal(output.told, ["started"]);
    output.flush();
  }));

test("avatarAudioOutput: waits for an avatar that has not joined yet", () =>
  inRealTime(async (room) => {
    const { calls, errors, output: make } = await onStage(room);
    const output = make();
    const captured = output.captureFrame(frame(480));
    calls.join("somebody");
    const speech = speechTo(await room.join("avatar"));
    calls.join("avatar");
    await captured;
    output.flush();
    await until(() => speech.length === 1);
    assert.equal([output.told, errors], [["started"], []]);
  }));

test("avatarAudioOutput: an avatar that never joins is an error for each segment, which counts as interrupted", () =>
  inRealTime(async (room) => {
    const { errors, output: make } = await onStage(room);
    const output = make({ joinTimeout: 20 });
    for (let n = 0; n < 2; n++) {
      await output.captureFrame(frame(480));
      await output.captureFrame(frame(480));
      output.flush();
    }
    assert.equal(errors.map(({ code }) => code), ["disconnected", "disconnected"]);
    assert.equal([output.segments, output.told], [2, ["interrupted at 0", "interrupted at 0"]]);
  }));

test("avatarAudioOutput: an avatar that leaves before it has played ends its segments as interrupted", () =>
  inRealTime(async (room) => {
    const { calls, errors, output: make } = await onStage(room);
    const speech = speechTo(await room.join("avatar"));
    const output = make();
    calls.join("avatar");
    await output.captureFrame(frame(480));
    output.flush();
    await until(() => speech.length === 1);
    calls.leave("somebody");
    assert.equal(output.told, ["started"]);
    calls.leave("avatar");
    assert.equal(output.told, ["started", "interrupted at 0"]);
    assert.equal(errors.map(({ code, identity }) => [code, identity]), [["disconnected", "avatar"]]);
    calls.leave("avatar"); // nothing is played
    assert.is(errors.length, 1);
  }));

test("avatarAudioOutput: a runtime that is closed, and an avatar that refuses, end the segment as interrupted", () =>
  inRealTime(async (room) => {
    const { runtime, errors, output: make } = await onStage(room);
    const avatar = await room.join("avatar");
    avatar.runtime.registerByteStreamHandler(TOPIC, async (reader) => await reader.cancel("no sound"));
    const output = make();
    while (errors.length === 0) await output.captureFrame(frame(480));
    output.flush();
    assert.equal([output.told.at(-1), errors[0]?.code, errors[0]?.reason], ["interrupted at 0", "cancelled", "no sound"]);

    await runtime.close();
    await output.captureFrame(frame(480));
    output.flush();
    assert.equal([output.told.at(-1), errors[1]?.code], ["interrupted at 0", "closed"]);
  }));

test("avatarAudioOutput: the end of the Room ends all, and leaves no listener and no method", () =>
  inRealTime(async (room) => {
    const { calls, errors, output: make } = await onStage(room);
    speechTo(await room.join("avatar"));
    const output = make();
    await output.captureFrame(frame(480));
    const waiting = make({ identity: "other" });
    const captured = waiting.captureFrame(frame(480)); // would wait for it
    calls.emit("disconnected");
    await captured;
    assert.equal([output.told, waiting.told], [["started", "interrupted at 0"], ["interrupted at 0"]]);
    assert.equal([...errors.map(({ code }) => code)], ["disconnected", "disconnected"]);
    assert.equal([calls.listeningFor, [...calls.methods.keys()]], [[], []]);
    output.flush();
  }));

test("avatarAudioOutput: an avatar has one output, and is told from others", () =>
  inRealTime(async (room) => {
    const { calls, output: make } = await onStage(room);
    for (const name of ["avatar", "other"]) speechTo(await room.join(name));
    const [one, other] = [make(), make({ identity: "other" })];
    await rejection(() => make(), "handler-exists");
    for (const output of [one, other]) await output.captureFrame(frame(480));
    assert.is(await calls.call("other", "lk.playback_finished", { playback_position: 1 }), "ok");
    assert.is(await calls.call("stranger", "lk.playback_finished", { playback_position: 2 }), "reject");
    assert.equal([one.told, other.told], [["started"], ["started", "played at 1"]]);
    for (const output of [one, other]) output.flush();
  }));

test("avatarAudioOutput: takes only the class, a runtime, known options and frames", () =>
  inRealTime(async (room) => {
    const { runtime, calls, output: make } = await onStage(room);
    for (const wrong of [undefined, {}, class {}, () => {}]) {
      const error = await rejection(
        () => avatarAudioOutput(wrong as unknown as typeof FakeAudioOutput, runtime, { room: calls, identity: "avatar" }),
        "invalid-argument",
      );
      assert.match(error.message, "expected the class AudioOutput of @livekit/agents");
    }
    await rejection(
      () => avatarAudioOutput(FakeAudioOutput, {} as unknown as Runtime, { room: calls, identity: "avatar" }),
      "invalid-argument",
    );
    const wrongs = [
      { room: undefined },
      { room: {} },
      { identity: undefined },
      { identity: "" },
      { sampleRate: 0 },
      { onError: 5 },
      {
        joinTimeout: -1,
      },
      { waitPlaybackStart: "yes" },
      { sampleRates: 5 },
    ];
    for (const wrong of wrongs) {
      await rejection(() => make(wrong as unknown as Partial<AvatarAudioOptions>), "invalid-argument");
    }
    const output = make();
    for (const wrong of [undefined, {}, { ...frame(1), data: new Uint8Array(2) }, { ...frame(1), channels: 0 }]) {
      await rejection(() => output.captureFrame(wrong as unknown as FakeFrame), "invalid-argument");
    }
    assert.is(output.segments, 0);
  }));

test.run();
