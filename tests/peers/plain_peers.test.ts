// Participants that know LiveKit data streams v1 only: streams to them and from them.
import * as assert from "uvu/assert";
import type { ByteStreamInfo, TextStreamInfo } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText, nextWhole } from "../support/handlers.ts";
import { inPair, inRealTime, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { isOurs, plainHeader } from "../support/hub/raw_participant.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("plain peers");
const encoder = new TextEncoder();

/** Default of LiveKit's SDKs for the largest chunk that a reader gives. */
const CHUNK = 15_000;

test("plain peers: one alone gets text as LiveKit's own SDKs send it", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const dave = room.raw("dave");
    const text = "größe 😀 ".repeat(5_000);
    const info = await alice.sendText(text, {
      topic: "chat",
      attributes: { mood: "calm" },
      replyToId: "other",
      attachedStreamIds: ["one"],
    });
    await until(() => dave.trailers.length === 1);
    const [packet] = dave.headers;
    assert.equal(packet?.header, {
      streamId: info.streamId,
      timestamp: info.timestamp,
      topic: "chat",
      mimeType: "text/plain",
      totalSize: encoder.encode(text).length,
      attributes: { mood: "calm" },
      content: { kind: "text", replyToId: "other", attachedStreamIds: ["one"] },
    });
    assert.ok(new TextDecoder().decode(dave.content(info.streamId)) === text);
    for (const [i, { index, content, streamId }] of dave.chunks.entries()) {
      assert.is(index, i);
      assert.is(streamId, info.streamId);
      assert.ok(content.length > 0 && content.length <= CHUNK);
      new TextDecoder("utf-8", { fatal: true }).decode(content); // each chunk is valid by itself
    }
    assert.equal(dave.trailers, [{ type: "trailer", streamId: info.streamId, reason: "", attributes: {} }]);
  }));

test("plain peers: one alone gets bytes as LiveKit's own SDKs send them", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const dave = room.raw("dave");
    const info = await alice.sendBytes(pattern(100_000), { topic: "files", name: "a.bin", destinationIdentities: ["dave"] });
    assert.equal(info.receipts, []); // nobody there could confirm
    await until(() => dave.trailers.length === 1);
    const [packet] = dave.headers;
    assert.equal(packet?.header.content, { kind: "bytes", name: "a.bin" });
    assert.is(packet?.header.totalSize, 100_000);
    assert.equal(packet?.header.attributes, {});
    assert.equal(dave.content(info.streamId), pattern(100_000));
    assert.ok(dave.chunks.every(({ content }) => content.length <= CHUNK));
  }));

test("chunkSize: chunks are at most as large as requested", () =>
  inRealTime(async (room) => {
    const dave = room.raw("dave");
    for (const [i, chunkSize] of [4, 1_000, 60_000].entries()) {
      const { runtime: alice } = await room.join(`alice ${i}`, { chunkSize });
      const info = await alice.sendText("😀".repeat(1_000), { destinationIdentities: ["dave"] });
      const bytes = await alice.sendBytes(pattern(3 * chunkSize + 1), { destinationIdentities: ["dave"] });
      await until(() => dave.trailers.length === 2 * (i + 1));
      assert.is(new TextDecoder().decode(dave.content(info.streamId)), "😀".repeat(1_000));
      const sizes = dave.chunks.filter(({ streamId }) => streamId === bytes.streamId).map(({ content }) => content.length);
      assert.equal(sizes, [chunkSize, chunkSize, chunkSize, 1]);
    }
  }));

test("TextStreamWriter.write(): each token is sent at once, as one chunk", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const dave = room.raw("dave");
    const writer = await alice.streamText({ topic: "chat" });
    for (const [i, token] of ["Hel", "lo", ", ", "Dave"].entries()) {
      await writer.write(token);
      await until(() => dave.chunks.length === i + 1);
    }
    await writer.close({ attributes: { tokens: "4" } });
    await until(() => dave.trailers.length === 1);
    assert.equal(dave.chunks.map(({ content }) => new TextDecoder().decode(content)), ["Hel", "lo", ", ", "Dave"]);
    assert.equal(dave.trailers[0]?.attributes, { tokens: "4" });
    assert.not("totalSize" in (dave.headers[0]?.header ?? {}), undefined);
  }));

test("StreamWriter.abort(): always has a reason for a plain peer, which needs that to detect a failure", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const dave = room.raw("dave");
    await (await alice.streamText()).abort("changed my mind");
    await (await alice.streamText()).abort();
    await until(() => dave.trailers.length === 2);
    assert.is(dave.trailers[0]?.reason, "changed my mind");
    assert.is.not(dave.trailers[1]?.reason, "");
    assert.equal(dave.trailers.map(({ attributes }) => attributes), [{}, {}]);
  }));

test("senderIdentity: is on the wire only when given", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const dave = room.raw("dave");
    await alice.sendText("x");
    await alice.sendText("x", { senderIdentity: "agent" });
    await until(() => dave.trailers.length === 2);
    assert.equal(dave.headers.map(({ header }) => header.senderIdentity), [undefined, "agent"]);
  }));

test("plain peers: streams they send are received", () =>
  inRealTime(async (room) => {
    const infos: (TextStreamInfo | ByteStreamInfo)[] = [];
    const { runtime: bob } = await room.join("bob");
    const dave = room.raw("dave");
    const text = new Promise<string>((resolve) => {
      bob.registerTextStreamHandler("chat", async (reader, sender) => {
        infos.push(reader.info);
        assert.is(sender.identity, "dave");
        const all = await reader.readAll();
        assert.equal(await reader.closed, { reason: "", attributes: { tokens: "2" } });
        resolve(all);
      });
    });
    const bytes = new Promise<Uint8Array>((resolve) => {
      bob.registerByteStreamHandler("files", async (reader) => {
        infos.push(reader.info);
        resolve(await reader.readAll());
      });
    });
    const face = encoder.encode("😀");
    await dave.stream(
      plainHeader("t", "chat", "text", {
        attributes: { mood: "calm" },
        content: { kind: "text", replyToId: "q", attachedStreamIds: ["b"] },
      }),
      [encoder.encode("Hello"), face.subarray(0, 2), face.subarray(2)], // other SDKs may cut anywhere
      { attributes: { tokens: "2" } },
    );
    await dave.stream(plainHeader("b", "files", "bytes", { totalSize: 60_000 }), [0, 1, 2, 3].map((i) => pattern(CHUNK, i)));
    assert.is(await text, "Hello😀");
    assert.is((await bytes).length, 60_000);
    const timestamp = 1_700_000_000_000;
    assert.equal(infos, [
      {
        streamId: "t",
        mimeType: "text/plain",
        topic: "chat",
        timestamp,
        attributes: { mood: "calm" },
        attachments: ["b"],
        replyToId: "q",
      },
      {
        streamId: "b",
        mimeType: "application/octet-stream",
        topic: "files",
        timestamp,
        size: 60_000,
        attributes: {},
        name: "plain.bin",
      },
    ]);
  }));

test("plain peers: a trailer with a reason is aborted, after the data before it was read", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob");
    const dave = room.raw("dave");
    const heard = nextText(bob, "chat");
    await dave.stream(plainHeader("t", "chat", "text"), [encoder.encode("half "), encoder.encode("of it")], {
      reason: "out of words",
    });
    const reader = await heard;
    let text = "";
    const error = await rejection(async () => {
      for await (const part of reader) text += part;
    }, "aborted");
    assert.is(text, "half of it");
    assert.is(error.reason, "out of words");
    assert.is(await rejection(() => reader.closed, "aborted"), error);
  }));

test("plain peers: less than announced is incomplete, more is too-large", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob");
    const dave = room.raw("dave");
    const first = nextBytes(bob, "less");
    await dave.stream(plainHeader("l", "less", "bytes", { totalSize: 10 }), [pattern(9)]);
    await rejection(async () => await (await first).readAll(), "incomplete");
    const second = nextBytes(bob, "more");
    await dave.stream(plainHeader("m", "more", "bytes", { totalSize: 10 }), [pattern(11)]);
    await rejection(async () => await (await second).readAll(), "too-large");
  }));

test("plain peers: one that vanishes is disconnected; streams sent whole are read", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob");
    const dave = room.raw("dave");
    const whole = nextText(bob, "whole");
    const half = nextText(bob, "half");
    await dave.stream(plainHeader("w", "whole", "text"), [encoder.encode("all")]);
    await dave.transport.send({ type: "header", header: plainHeader("h", "half", "text") });
    await dave.transport.send({ type: "chunk", streamId: "h", index: 0, content: encoder.encode("some") });
    const reader = await half;
    room.hub.vanish("dave");
    await rejection(() => reader.readAll(), "disconnected");
    assert.is(await (await whole).readAll(), "all");
  }));

test("foreignIdleTimeout: silence of a plain peer's stream is a timeout then", () =>
  inVirtualTime(async (room) => {
    const { time } = room;
    const { runtime: bob } = await room.join("bob");
    const dave = room.raw("dave");
    const heard = nextText(bob, "chat");
    await dave.transport.send({ type: "header", header: plainHeader("t", "chat", "text") });
    await dave.transport.send({ type: "chunk", streamId: "t", index: 0, content: encoder.encode("hm") });
    const reader = await heard;
    await time.advance(290_000);
    assert.is(reader.actor.getSnapshot().value, "receiving");
    await time.run(rejection(() => reader.readAll(), "timeout"));
    assert.ok(time.now() >= 300_000 && time.now() < 310_000);
  }));

test("foreignQueue: a plain peer's stream to a reader that does not read is held up to that size", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob", { limits: { foreignQueue: 30_000 } });
    const dave = room.raw("dave");
    const kept = nextBytes(bob, "kept");
    await dave.stream(plainHeader("k", "kept", "bytes"), [pattern(CHUNK), pattern(CHUNK)]);
    assert.is((await (await kept).readAll()).length, 30_000);
    const dropped = nextBytes(bob, "dropped");
    await dave.stream(plainHeader("d", "dropped", "bytes"), [pattern(CHUNK), pattern(CHUNK), pattern(1)]);
    await rejection(async () => await (await dropped).readAll(), "too-large");
  }));

test("Transport: a chunk's memory is the transport's: it may be a Buffer, and change afterwards", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob");
    const dave = room.raw("dave");
    const inOrder = nextBytes(bob, "b");
    const memory = Buffer.from(pattern(30));
    const chunk = (index: number): Promise<void> =>
      dave.transport.send({ type: "chunk", streamId: "b", index, content: memory.subarray(index * 10, index * 10 + 10) });
    await dave.transport.send({ type: "header", header: plainHeader("b", "b", "bytes") });
    await chunk(0);
    await chunk(2); // held until the one before it comes
    await chunk(1);
    await dave.transport.send({ type: "trailer", streamId: "b", reason: "", attributes: {} });
    const reader = await inOrder;
    memory.fill(0);
    assert.equal(await reader.readAll(), pattern(30));
  }));

test("plain peers: two receivers of one stream get arrays of their own", () =>
  inRealTime(async (room) => {
    const first = nextWhole((await room.join("bob")).runtime, "b");
    const second = nextBytes((await room.join("carol")).runtime, "b");
    const dave = room.raw("dave");
    await dave.stream(plainHeader("b", "b", "bytes"), [new Uint8Array(Buffer.from(pattern(100)))]);
    (await first).fill(0);
    assert.equal(await (await second).readAll(), pattern(100));
  }));

test("broadcast: reaches plain peers and Millrace runtimes, on the real topic", () =>
  inPair(async (alice, bob, room) => {
    const dave = room.raw("dave");
    const texts = collectTexts(bob, "chat");
    const received = nextWhole(bob, "files");
    const text = await alice.sendText("to all", { topic: "chat", attributes: { a: "1" }, confirm: true });
    const bytes = await alice.sendBytes(pattern(200_000), { topic: "files" });
    assert.equal(text.receipts, [{ identity: "bob", bytes: 6 }]);
    assert.equal(bytes.receipts, [{ identity: "bob", bytes: 200_000 }]);
    await until(() => dave.trailers.length === 2);
    assert.equal(dave.headers.map(({ header }) => header.topic), ["chat", "files"]);
    assert.is(dave.headers[0]?.header.attributes["a"], "1");
    assert.is(new TextDecoder().decode(dave.content(text.streamId)), "to all");
    assert.equal(dave.content(bytes.streamId), pattern(200_000));
    assert.equal(texts, ["to all"]);
    assert.equal(await received, pattern(200_000));
  }));

test("destinationIdentities: named plain peers and runtimes together get a mixed stream, nobody else does", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const texts = collectTexts((await room.join("bob")).runtime, "chat");
    const dave = room.raw("dave");
    const erin = room.raw("erin");
    await alice.sendText("to two", { topic: "chat", destinationIdentities: ["bob", "dave"], confirm: true });
    await until(() => dave.trailers.length === 1);
    assert.equal(texts, ["to two"]);
    assert.is(dave.headers[0]?.header.topic, "chat");
    assert.is(erin.headers.length + erin.chunks.length + erin.trailers.length, 0);
  }));

test("plain peers: a stream for one ends when it leaves", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const dave = room.raw("dave");
    const writer = await alice.streamText({ topic: "chat", destinationIdentities: ["dave"] });
    const everybody = await alice.streamText({ topic: "chat" });
    await writer.write("hello");
    await dave.transport.close();
    const error = await rejection(() => writer.write("are you there?"), "disconnected");
    assert.is(error.identity, "dave");
    await everybody.write("is anybody there?"); // a broadcast goes on
    await everybody.close();
  }));

test("OWN_TOPIC: streams among Millrace runtimes do not call handlers of plain peers", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const texts = collectTexts((await room.join("bob")).runtime, "chat");
    const dave = room.raw("dave");
    await alice.sendText("to bob", { topic: "chat", destinationIdentities: ["bob"], confirm: true });
    assert.equal(texts, ["to bob"]);
    assert.equal(dave.headers.filter(({ header }) => header.topic === "chat"), []);
    assert.equal(dave.headers.filter(isOurs), []);
  }));

test("streamId: a plain peer may reuse one once its stream has ended, and others at any time", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob");
    const texts = collectTexts(bob, "chat");
    const peers = [room.raw("dave"), room.raw("erin")];
    for (let i = 0; i < 3; i++) {
      for (const peer of peers) {
        const before = texts.length;
        await peer.stream(plainHeader("same", "chat", "text"), [encoder.encode(`${peer.transport.identity} ${i}`)]);
        await until(() => texts.length > before);
      }
    }
    assert.equal(texts, ["dave 0", "erin 0", "dave 1", "erin 1", "dave 2", "erin 2"]);
  }));

test("decodeHeader: unreadable headers are reported and do no harm", () =>
  inRealTime(async (room) => {
    const { runtime: bob } = await room.join("bob");
    const texts = collectTexts(bob, "chat");
    const dave = room.raw("dave");
    const broken: object[] = [
      {},
      { ...plainHeader("x", "chat", "text"), streamId: 5 },
      { ...plainHeader("x", "chat", "text"), timestamp: "now" },
      { ...plainHeader("x", "chat", "text"), totalSize: -1 },
      { ...plainHeader("x", "chat", "text"), attributes: { a: 5 } },
      { ...plainHeader("x", "chat", "text"), attributes: { millrace: "{}" } },
      { ...plainHeader("x", "chat", "text"), content: { kind: "video" } },
    ];
    for (const header of broken) await dave.transport.send({ type: "header", header: header as never });
    await dave.transport.send({ type: "chunk", streamId: "unknown", index: 0, content: pattern(1) });
    await dave.transport.send({ type: "trailer", streamId: "unknown", reason: "", attributes: {} });
    await dave.transport.send({ type: "control", payload: pattern(100) });
    await dave.stream(plainHeader("x", "chat", "text"), [encoder.encode("fine")]);
    await until(() => texts.length === 1);
    assert.equal(texts, ["fine"]);
    assert.equal(room.told("bob").map(({ error }) => error.code), broken.map(() => "corrupt"));
  }));

test.run();
