// Events for handlers and inspectors: senders, and the life of every actor.
import * as assert from "uvu/assert";
import type { InspectionEvent } from "xstate";
import { createRuntime, type RuntimeOptions, type StreamSender, type TransportEvents } from "../../mod.ts";
import { decodeTrailer, encodeTrailer } from "../../protocol/wire/extension.ts";
import { decodeHeader, encodeHeader } from "../../protocol/wire/header.ts";
import { altered } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("events for users");

test("handlers: see the claimed identity, and the one that the transport vouches for", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const senders: StreamSender[] = [];
    bob.runtime.registerTextStreamHandler("t", (_, sender) => void senders.push(sender));
    bob.runtime.registerByteStreamHandler("t", (_, sender) => void senders.push(sender));
    for (const claim of [{}, { senderIdentity: "the bank" }]) {
      await room.time.run(alice.runtime.sendText("x", { topic: "t", ...claim }));
      await room.time.run(alice.runtime.sendBytes(pattern(1), { topic: "t", ...claim, confirm: false }));
    }
    await room.time.advance(1);
    const own = { identity: "alice", transportIdentity: "alice" };
    const claimed = { identity: "the bank", transportIdentity: "alice" };
    assert.equal(senders, [own, own, claimed, claimed]);
  });
});

test("inspect: is a function or an observer, with all or some of its methods", async () => {
  class Observer {
    readonly seen: InspectionEvent[] = [];
    next(event: InspectionEvent): void {
      this.seen.push(event);
    }
  }
  const observer = new Observer();
  const seen: InspectionEvent[] = [];
  const errors: unknown[] = [];
  const broken = {
    next: (): never => {
      throw new Error("the observer's own");
    },
  };
  for (
    const inspect of [
      observer,
      { next: (event: InspectionEvent) => void seen.push(event), error: () => {} },
      { error: () => {} },
      broken,
    ]
  ) {
    await inVirtualTime(async (room) => {
      const alice = await room.join("alice", { inspect, onError: ({ cause }) => void errors.push(cause) });
      await room.join("bob");
      await room.time.run(alice.runtime.sendText("x", { streamId: "s" }));
    });
  }
  assert.ok(observer.seen.length > 5);
  assert.ok(seen.length > 5);
  assert.is((errors[0] as Error).message, "the observer's own");
  await inVirtualTime(async (room) => {
    const transport = room.hub.join("carol");
    for (const inspect of ["x", 5, null, {}, [], { next: 5 }, { Next: () => {} }]) {
      await rejection(() => createRuntime({ transport, inspect } as unknown as RuntimeOptions), "invalid-argument");
    }
    await transport.close();
  });
});

test("runtime.actor: knows the present participants", async () => {
  await inVirtualTime(async (room) => {
    const { runtime } = await room.join("alice");
    const peers = (): readonly string[] => (runtime.actor.getSnapshot().context as { peers: readonly string[] }).peers;
    const bob = room.raw("bob");
    room.raw("carol");
    await room.time.advance(1);
    assert.equal(peers(), ["bob", "carol"]);
    await bob.transport.close();
    await room.time.advance(1);
    assert.equal(peers(), ["carol"]);
  });
});

test("handlers: run after the packet that brought their stream was processed", async () => {
  await inVirtualTime(async (room) => {
    let packet: TransportEvents["packet"] | undefined;
    const transport = altered(room.hub.join("bob"), (own) => ({
      open: (events) => {
        packet = events.packet;
        own.open(events);
      },
    }));
    const bob = await room.join("bob", { transport });
    let calls = 0;
    bob.runtime.registerTextStreamHandler("t", () => void calls++);
    const info = { streamId: "s", topic: "t", mimeType: "", timestamp: 0, attributes: {}, attachments: [] };
    packet?.({ type: "header", header: encodeHeader({ kind: "text", info }, undefined, undefined) }, "dave");
    assert.is(calls, 0);
    await Promise.resolve();
    await Promise.resolve();
    assert.is(calls, 1);
  });
});

test("attributes: arrive whatever their keys are, or are refused", async () => {
  const odd = ["", "constructor", "toString", "hasOwnProperty", "valueOf", "0", "a b", "\u0000", "é", "__proto", "prototype"];
  await inVirtualPair(async (alice, bob, room) => {
    const dave = room.raw("dave"); // so that a stream goes by header, chunk and trailer as well
    await room.time.advance(1_000);
    const infos: Record<string, string>[] = [];
    const ends: Promise<Record<string, string>>[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader) => {
      infos.push(reader.info.attributes);
      await reader.readAll();
      ends.push(reader.closed.then(({ attributes }) => attributes));
    });
    const attributes = Object.fromEntries(odd.map((key, i) => [key, `${i}`]));
    for (const to of [{}, { destinationIdentities: ["bob"] }]) {
      await room.time.run(alice.runtime.sendText("x", { topic: "t", attributes, ...to, confirm: true }));
      const writer = await room.time.run(alice.runtime.streamText({ topic: "t", attributes, ...to, confirm: true }));
      await room.time.run(writer.close({ attributes }));
    }
    assert.is(infos.length, 4);
    for (const info of infos) assert.equal(Object.entries(info), Object.entries(attributes));
    assert.equal((await Promise.all(ends)).map((end) => Object.keys(end).length), [0, odd.length, 0, odd.length]);
    const headers = dave.headers.length;
    const lost: object[] = [
      JSON.parse('{"__proto__":"x"}') as object,
      new Map([["a", "b"]]),
      new Set(["a"]),
      new Date(0),
      new Headers({ a: "b" }),
    ];
    for (const wrong of lost) {
      const options = { topic: "t", attributes: wrong as Record<string, string> };
      await rejection(() => alice.runtime.sendText("x", options), "invalid-argument");
      await rejection(() => alice.runtime.streamText(options), "invalid-argument");
      await rejection(() => alice.runtime.sendBytes(pattern(1), options), "invalid-argument");
      const writer = await room.time.run(alice.runtime.streamText({ destinationIdentities: ["bob"] }));
      await rejection(() => writer.close({ attributes: options.attributes }), "invalid-argument");
      await writer.abort();
    }
    assert.is(dave.headers.length, headers);
  });
});

test("attributes: one named __proto__ is like others, in headers and trailers", () => {
  const attributes = JSON.parse('{"__proto__":"x","a":"b"}') as Record<string, string>;
  const info = { streamId: "s", topic: "t", mimeType: "", timestamp: 0, attributes, name: "" };
  const extension = { instance: "i", sequence: 0, format: "plain", confirm: false } as const;
  for (const own of [undefined, extension]) {
    const seen = decodeHeader(encodeHeader({ kind: "bytes", info }, own, undefined))?.description.info.attributes ?? {};
    assert.equal(Object.keys(seen), ["__proto__", "a"]);
    assert.is(Object.getPrototypeOf(seen), Object.prototype);
  }
  const end = decodeTrailer(encodeTrailer(attributes, { bytes: 0, chunks: 0, digest: "" }));
  assert.equal(Object.keys(end?.attributes ?? {}), ["__proto__", "a"]);
});

test.run();
