// Receivers of a stream, receipts, and infos.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import type { ByteStreamInfo, Runtime, TextStreamInfo } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextText, nextWhole } from "../support/handlers.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("sending");

test("broadcast: without participants is no error", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const info = await alice.sendText("anyone?", { confirm: true });
    assert.equal(info.receipts, []);
    assert.equal((await alice.sendBytes(pattern(500_000))).receipts, []);
    const writer = await alice.streamBytes();
    await writer.write(pattern(2_000_000));
    await writer.close();
    assert.is(writer.progress.received, 2_000_000);
  }));

test("broadcast: without handlers is no error", () =>
  inPair(async (alice) => {
    assert.equal((await alice.sendText("anyone?", { confirm: true })).receipts, []);
    assert.equal((await alice.sendBytes(pattern(3_000_000))).receipts, []);
  }));

test("destinationIdentities: an empty list is an invalid argument, never a broadcast", () =>
  inPair(async (alice, bob, room) => {
    const texts = collectTexts(bob);
    const dave = room.raw("dave");
    for (const destinationIdentities of [[], [""], [5], "bob", {}, null] as unknown as string[][]) {
      await rejection(() => alice.sendText("secret", { destinationIdentities }), "invalid-argument");
      await rejection(() => alice.streamText({ destinationIdentities }), "invalid-argument");
      await rejection(() => alice.sendBytes(pattern(1), { destinationIdentities }), "invalid-argument");
      await rejection(() => alice.streamBytes({ destinationIdentities }), "invalid-argument");
    }
    await alice.sendText("open", { confirm: true });
    assert.equal(texts, ["open"]);
    assert.is(dave.headers.length, 1);
  }));

test("destinationIdentities: an absent participant, or oneself, is disconnected", () =>
  inPair(async (alice) => {
    for (const nobody of ["nobody", "alice"]) {
      const error = await rejection(() => alice.sendText("x", { destinationIdentities: [nobody] }), "disconnected");
      assert.is(error.identity, nobody);
      await rejection(() => alice.streamBytes({ destinationIdentities: [nobody] }), "disconnected");
    }
  }));

test("destinationIdentities: the stream goes on while one named receiver is present", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    const info = await alice.sendText("x", { destinationIdentities: ["nobody", "bob", "bob"], confirm: true });
    assert.equal(texts, ["x"]);
    const of = (identity: string) => info.receipts?.filter((receipt) => receipt.identity === identity);
    assert.equal(of("bob"), [{ identity: "bob", bytes: 1 }]);
  }));

test("destinationIdentities: a receiver that leaves is dropped; when the last leaves, the writer fails", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    void nextText(bob);
    const heard = nextText(carol);
    const writer = await alice.streamText({ destinationIdentities: ["bob", "carol"] });
    await writer.write("one ");
    const reader = await heard;
    await bob.close();
    await writer.write("two");
    assert.is(writer.actor.getSnapshot().value, "writing");
    room.hub.vanish("carol");
    await until(() => writer.actor.getSnapshot().value === "failed");
    await rejection(() => writer.write("three"), "disconnected");
    await rejection(() => reader.closed, "disconnected");
  }));

test("destinationIdentities: a receiver that cancels is dropped; when the last cancels, the writer fails", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    const toBob = nextText(bob);
    const toCarol = nextText(carol);
    const writer = await alice.streamText();
    await writer.write("one");
    await (await toBob).cancel("not for me");
    await writer.write("two");
    const carolReads = await toCarol;
    await until(() => writer.actor.getSnapshot().value === "writing" && carolReads.progress.received === 0);
    await carolReads.cancel("nor for me");
    await until(() => writer.actor.getSnapshot().value === "failed");
    await rejection(() => writer.write("three"), "cancelled");
  }));

test("destinationIdentities: a receiver without a handler refuses after unclaimedTimeout", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    await room.join("bob", { limits: { unclaimedTimeout: 30 } });
    const error = await rejection(() => alice.sendText("x", { destinationIdentities: ["bob"], confirm: true }), "refused");
    assert.is(error.identity, "bob");
    const writer = await alice.streamText({ destinationIdentities: ["bob"] });
    await until(() => writer.actor.getSnapshot().value === "failed");
    await rejection(() => writer.write("x"), "refused");
  }));

test("senderIdentity: is the identity that handlers see", () =>
  inPair(async (alice, bob) => {
    const seen: string[] = [];
    bob.registerTextStreamHandler("", async (reader, sender) => {
      seen.push(sender.identity, await reader.readAll());
    });
    await alice.sendText("x", { senderIdentity: "the agent", confirm: true });
    await alice.sendText("y", { confirm: true });
    assert.equal(seen, ["the agent", "x", "alice", "y"]);
    const reader = nextText(bob, "t");
    const writer = await alice.streamText({ topic: "t", senderIdentity: "the agent" });
    await writer.abort();
    assert.is((await rejection(async () => await (await reader).readAll(), "aborted")).identity, "alice");
  }));

test("destinationIdentities: no packet of a stream for one participant reaches others", () =>
  inPair(async (alice, bob, room) => {
    const dave = room.raw("dave");
    const texts = collectTexts(bob, "t");
    const overheard = collectTexts((await room.join("carol")).runtime, "t");
    const received = nextWhole(bob, "b");
    const named = { destinationIdentities: ["bob"] };
    await alice.sendText("secret", { ...named, topic: "t", confirm: true });
    const writer = await alice.streamText({ ...named, topic: "t", confirm: true });
    await writer.write("token by token");
    await writer.close();
    await alice.sendBytes(pattern(400_000), { ...named, topic: "b" });
    await (await alice.streamText({ ...named, topic: "t" })).abort("secret too");
    assert.is((await received).length, 400_000);
    assert.equal(texts, ["secret", "token by token"]);
    await alice.sendText("for all", { topic: "t", confirm: false });
    await until(() => dave.trailers.length === 1);
    assert.is(dave.headers.length, 1);
    assert.is(new TextDecoder().decode(dave.content(dave.headers[0]?.header.streamId ?? "")), "for all");
    const controls = dave.packets.filter(({ packet }) => packet.type === "control");
    assert.ok(controls.length <= 4, `${controls.length} control packets`); // hellos, which are of no stream
    await until(() => overheard.length > 0);
    assert.equal(overheard, ["for all"]);
  }));

test("StreamInfo.size: is exact for a finite send, and as announced for a writer", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const infos: (TextStreamInfo | ByteStreamInfo)[] = [];
      bob.registerTextStreamHandler("", async (reader) => {
        infos.push(reader.info);
        await reader.readAll();
      });
      bob.registerByteStreamHandler("", async (reader) => {
        infos.push(reader.info);
        await reader.readAll();
      });
      await writeFile(join(folder, "räport.json"), "{}");
      const before = Date.now();
      const sent: (TextStreamInfo | ByteStreamInfo)[] = [
        await alice.sendText("größer", { confirm: true, attributes: { a: "1" } }),
        await alice.sendBytes(pattern(20)),
        await alice.sendBytes(pattern(20).buffer, { name: "a.bin", mimeType: "x/y" }),
        await alice.sendBytes(new Blob(["abc"], { type: "text/html" })),
        await alice.sendBytes(new File(["abcd"], "page.html", { type: "text/html" })),
        await alice.sendBytes(new Blob(["12"]).stream() as ReadableStream<Uint8Array>),
        await alice.sendFile(join(folder, "räport.json")),
        await alice.sendFile(pathToFileURL(join(folder, "räport.json")), { name: "other.txt" }),
      ];
      for (const totalSize of [undefined, 3]) {
        const writer = await alice.streamText({ confirm: true, ...(totalSize === undefined ? {} : { totalSize }) });
        await writer.write("abc");
        await writer.close();
        sent.push(writer.info);
      }
      await until(() => infos.length === sent.length);
      assert.equal(infos.map(({ size }) => size), [8, 20, 20, 3, 4, undefined, 2, 2, undefined, 3]);
      assert.equal(infos.map((info) => "name" in info ? info.name : undefined), [
        undefined,
        "",
        "a.bin",
        "",
        "page.html",
        "",
        "räport.json",
        "other.txt",
        undefined,
        undefined,
      ]);
      const octets = "application/octet-stream";
      assert.equal(infos.map(({ mimeType }) => mimeType.split(";")[0]), [
        "text/plain",
        octets,
        "x/y",
        "text/html",
        "text/html",
        octets,
        "application/json",
        "text/plain",
        "text/plain",
        "text/plain",
      ]);
      for (const [i, info] of infos.entries()) {
        const { receipts: _, ...own } = sent[i] ?? assert.unreachable() as never;
        assert.equal(info, own);
        assert.ok(info.timestamp >= before && info.timestamp <= Date.now());
        assert.is(info.topic, "");
      }
      assert.is(new Set(infos.map(({ streamId }) => streamId)).size, infos.length);
    })
  ));

test("sendFile: name and type follow from the path, unless given", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "report.json");
      await writeFile(path, "{}");
      const seen: string[] = [];
      bob.registerByteStreamHandler("", async (reader) => {
        const { info: { name, mimeType, size } } = reader;
        seen.push(`${name} ${mimeType.split(";")[0]} ${size}`);
        await reader.readAll();
      });
      for (const given of [{}, { name: "a.txt" }, { mimeType: "x/y" }, { name: "", mimeType: "x/z" }]) {
        await alice.sendFile(path, given);
      }
      assert.equal(seen, ["report.json application/json 2", "a.txt text/plain 2", "report.json x/y 2", " x/z 2"]);
    })
  ));

test("attributes: the caller's object stays unchanged", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const attributes: Record<string, string> = { mood: "calm" };
    const writer = await alice.streamText({ attributes });
    attributes["mood"] = "upset";
    writer.info.attributes["mood"] = "upset";
    const reader = await heard;
    assert.equal(reader.info.attributes, { mood: "calm" });
    await writer.close();
  }));

test("sending: wrong types are invalid arguments before any packet", () =>
  inPair(async (alice, bob, room) => {
    const dave = room.raw("dave");
    const wrong: [string, unknown[]][] = [
      ["topic", [5, null, {}]],
      ["attributes", ["x", 5, null, [], { a: 5 }]],
      ["streamId", [5, "", null]],
      ["totalSize", [-1, 1.5, NaN, Infinity, "5", 2 ** 60]],
      ["senderIdentity", [5, ""]],
      ["signal", [{}, "abort", { aborted: false }]],
      ["onProgress", [5, {}]],
      ["confirm", [1, "yes"]],
      ["compress", [1, "yes"]],
    ];
    const calls = (options: object): (() => unknown)[] => [
      () => alice.streamText(options),
      () => alice.sendText("x", options),
      () => alice.streamBytes(options),
      () => alice.sendBytes(pattern(1), options),
      () => alice.sendFile("/nowhere", options),
    ];
    for (const [name, values] of wrong) {
      for (const value of values) for (const call of calls({ [name]: value })) await rejection(call, "invalid-argument");
    }
    for (const options of [null, 5, "x", []] as object[]) {
      for (const call of calls(options)) await rejection(call, "invalid-argument");
    }
    for (const text of [undefined, null, 5, {}, new Uint8Array(1)]) {
      await rejection(() => alice.sendText(text as string), "invalid-argument");
    }
    for (const data of [undefined, null, 5, "text", {}, [1]]) {
      await rejection(() => alice.sendBytes(data as Uint8Array), "invalid-argument");
    }
    const locked = new Blob(["x"]).stream() as ReadableStream<Uint8Array>;
    const holder = locked.getReader();
    await rejection(() => alice.sendBytes(locked), "invalid-argument");
    await holder.cancel();
    for (const path of [undefined, null, 5, "", {}, "a\0b", new URL("http://localhost/x")]) {
      await rejection(() => alice.sendFile(path as string), "invalid-argument");
    }
    for (const replyToId of [5, null]) await rejection(() => alice.sendText("x", { replyToId } as object), "invalid-argument");
    for (const attachedStreamIds of [5, "x", [5]]) {
      await rejection(() => alice.sendText("x", { attachedStreamIds } as object), "invalid-argument");
    }
    for (const attachments of [5, "x", [5], [""], [{}]]) {
      await rejection(() => alice.sendText("x", { attachments } as object), "invalid-argument");
    }
    for (const more of [{ name: 5 }, { mimeType: 5 }]) {
      await rejection(() => alice.sendBytes(pattern(1), more as object), "invalid-argument");
    }
    await alice.sendText("done");
    await until(() => dave.trailers.length === 1);
    assert.is(dave.headers.length, 1);
    assert.is(bob.identity, "bob");
  }));

test("sendText: the header goes first, then the attachments, whose ids are in the info", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      await mkdir(join(folder, "in"));
      await writeFile(join(folder, "in", "one.txt"), "1");
      await writeFile(join(folder, "two.png"), pattern(100_000));
      const seen: string[] = [];
      const ids: string[] = [];
      bob.registerTextStreamHandler("mail", async (reader) => {
        seen.push("text");
        ids.push(...reader.info.attachments);
        await reader.readAll();
      });
      bob.registerByteStreamHandler("mail", async (reader) => {
        const bytes = await reader.readAll();
        seen.push(
          `${ids.indexOf(reader.info.streamId)} ${reader.info.name} ${reader.info.mimeType.split(";")[0]} ${bytes.length}`,
        );
      });
      const info = await alice.sendText("see attached", {
        topic: "mail",
        attachedStreamIds: ["of old"],
        attachments: [
          join(folder, "in", "one.txt"),
          pathToFileURL(join(folder, "two.png")),
          new File(["three"], "three.html", { type: "text/html" }),
        ],
        destinationIdentities: ["bob"],
      });
      assert.is(info.attachments.length, 4);
      assert.equal(ids, info.attachments);
      assert.equal(seen, ["text", "1 one.txt text/plain 1", "2 two.png image/png 100000", "3 three.html text/html 5"]);
    })
  ));

test("sendText: with attachments, rejects with the first failure", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "a.txt"), "a");
      collectTexts(bob);
      bob.registerByteStreamHandler("", async (reader) => await reader.cancel("no files"));
      const error = await rejection(() => alice.sendText("x", { attachments: [join(folder, "a.txt")] }), "cancelled");
      assert.is(error.reason, "no files");
    })
  ));

test("HandlerOptions.window: does not change what arrives", () =>
  inPair(async (alice: Runtime, bob: Runtime) => {
    const received = new Promise<Uint8Array>((resolve, reject) => {
      bob.registerByteStreamHandler("", (reader) => reader.readAll().then(resolve, reject), { window: 60_000 });
    });
    await alice.sendBytes(pattern(1_000_000));
    assert.equal(await received, pattern(1_000_000));
  }));

test.run();
