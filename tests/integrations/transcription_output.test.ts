// Transcriptions of an agent's session: segments, their ends, and failures that the session must not notice.
import * as assert from "uvu/assert";
import { type TranscriptionOptions, transcriptionOutput } from "../../integrations/livekit_agents/mod.ts";
import type { Runtime, StreamError } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { inRealTime } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const TOPIC = "lk.transcription";
const FINAL = "lk.transcription_final";
const SEGMENT = "lk.segment_id";
const TRACK = "lk.transcribed_track_id";

const test = suite("transcriptionOutput");

interface Segment {
  readonly text: string;
  readonly begin: Record<string, string>;
  readonly end: Record<string, string>;
}

function segmentsTo(runtime: Runtime): Segment[] {
  const segments: Segment[] = [];
  runtime.registerTextStreamHandler(TOPIC, async (reader) => {
    segments.push({ text: await reader.readAll(), begin: reader.info.attributes, end: (await reader.closed).attributes });
  });
  return segments;
}

test("transcriptionOutput: each segment is a stream, whose trailer says that the text is final", () =>
  inRealTime(async (room) => {
    const [agent, alice] = [await room.join("agent"), await room.join("alice")];
    const segments = segmentsTo(alice.runtime);
    const output = transcriptionOutput(agent.runtime, { attributes: { language: "en" } });
    output.onAttached();
    for (const part of ["It ", { text: "depends", startTime: 0.1 }, "", "."]) await output.captureText(part);
    output.flush();
    output.flush(); // nothing is open
    const next = output.captureText("More");
    output.onDetached();
    await next;
    output.flush();
    await until(() => segments.length === 2);
    const texts = segments.map(({ text, end }) => `${text} ${JSON.stringify(end)}`).sort();
    assert.equal(texts, [`It depends. {"${FINAL}":"true"}`, `More {"${FINAL}":"true"}`]);
    for (const { begin } of segments) {
      assert.equal([begin[FINAL], begin["language"]], ["false", "en"]);
      assert.match(begin[SEGMENT] ?? "", /^SG_.{10}/);
    }
    assert.is.not(segments[0]?.begin[SEGMENT], segments[1]?.begin[SEGMENT]);
  }));

test("transcriptionOutput: words come as they are written, and only to those that are named", () =>
  inRealTime(async (room) => {
    const [agent, alice, bob] = [await room.join("agent"), await room.join("alice"), await room.join("bob")];
    const others = segmentsTo(bob.runtime);
    const words: string[] = [];
    alice.runtime.registerTextStreamHandler(TOPIC, async (reader) => {
      for await (const word of reader) words.push(word);
      words.push("(end)");
    });
    const output = transcriptionOutput(agent.runtime, { destinationIdentities: ["alice"] });
    await output.captureText("It ");
    await until(() => words.length === 1);
    await output.captureText("depends");
    await until(() => words.length === 2);
    output.flush();
    await until(() => words.length === 3);
    assert.equal([words, others], [["It ", "depends", "(end)"], []]);
  }));

test("transcriptionOutput: names the track of each segment", () =>
  inRealTime(async (room) => {
    const [agent, alice] = [await room.join("agent"), await room.join("alice")];
    const segments = segmentsTo(alice.runtime);
    const tracks = ["TR_1", undefined];
    const asked = transcriptionOutput(agent.runtime, { trackId: () => tracks.shift() });
    const fixed = transcriptionOutput(agent.runtime, { trackId: "TR_2" });
    for (const output of [asked, asked, fixed]) {
      await output.captureText("x");
      output.flush();
      const count = segments.length;
      await until(() => segments.length > count);
    }
    assert.equal(segments.map(({ begin }) => begin[TRACK]), ["TR_1", undefined, "TR_2"]);
    assert.equal(segments.map(({ end }) => end[TRACK]), ["TR_1", undefined, "TR_2"]);
  }));

test("transcriptionOutput: an absent receiver and a closed runtime go to onError, once a segment, and not to the session", () =>
  inRealTime(async (room) => {
    const agent = await room.join("agent");
    const errors: StreamError[] = [];
    const output = transcriptionOutput(agent.runtime, {
      destinationIdentities: ["alice"],
      onError: (error) => void errors.push(error),
    });
    for (const word of ["Is ", "anybody ", "there?"]) await output.captureText(word);
    output.flush();
    assert.equal(errors.map(({ code }) => code), ["disconnected"]);

    const alice = await room.join("alice"); // the next segment reaches her
    const segments = segmentsTo(alice.runtime);
    await output.captureText("Now");
    output.flush();
    await until(() => segments.length === 1);

    await agent.runtime.close();
    await output.captureText("Too ");
    await output.captureText("late");
    output.flush();
    assert.equal(errors.map(({ code }) => code), ["disconnected", "closed"]);
  }));

test("transcriptionOutput: a runtime that closes in mid-segment aborts it at its readers", () =>
  inRealTime(async (room) => {
    const [agent, alice] = [await room.join("agent"), await room.join("alice")];
    const ended = new Promise<unknown>((resolve) => {
      alice.runtime.registerTextStreamHandler(TOPIC, (reader) => void reader.readAll().then(resolve, resolve));
    });
    const errors: StreamError[] = [];
    const output = transcriptionOutput(agent.runtime, { onError: (error) => void errors.push(error) });
    await output.captureText("It ");
    await agent.runtime.close();
    output.flush();
    assert.is((await ended as StreamError).code, "aborted");
    await until(() => errors.length === 1);
    assert.is(errors[0]?.code, "aborted");
  }));

test("transcriptionOutput: takes only a runtime, known options, and text", () =>
  inRealTime(async (room) => {
    const { runtime } = await room.join("agent");
    for (const wrong of [undefined, null, {}, "agent"]) {
      const error = await rejection(() => transcriptionOutput(wrong as unknown as Runtime), "invalid-argument");
      assert.match(error.message, "expected a runtime of createRuntime or adoptJob");
    }
    const options = [null, { topic: "t" }, { trackId: 5 }, { onError: "log" }, { destinationIdentities: [] }, {
      attributes: { n: 5 },
    }];
    for (const wrong of options) {
      await rejection(() => transcriptionOutput(runtime, wrong as unknown as TranscriptionOptions), "invalid-argument");
    }
    const output = transcriptionOutput(runtime);
    for (const wrong of [undefined, 5, {}, { text: 5 }]) {
      const error = await rejection(() => output.captureText(wrong as unknown as string), "invalid-argument");
      assert.match(error.message, "must be a string or a TimedString");
    }
  }));

test.run();
