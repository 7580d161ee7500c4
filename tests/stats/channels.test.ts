// Messages of Node's diagnostics_channel, as a tool that watches the process gets them.
import { AsyncLocalStorage } from "node:async_hooks";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import * as assert from "uvu/assert";
import type { FlowWaitMessage, PeerMessage, StreamCloseMessage, StreamMessage, TraceMessage } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectReaders, last, nextText, TO_BOB } from "../support/handlers.ts";
import { type HubFixture, inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("diagnostics_channel");

/** Messages of channels while a test runs. */
async function noting(
  names: readonly string[],
  body: (noted: { name: string; message: unknown }[]) => Promise<void>,
): Promise<void> {
  const noted: { name: string; message: unknown }[] = [];
  const note = (message: unknown, name: string | symbol): void => void noted.push({ name: String(name), message });
  for (const name of names) subscribe(name, note);
  try {
    await body(noted);
  } finally {
    for (const name of names) unsubscribe(name, note);
  }
}

const STREAMS = ["millrace:stream:open", "millrace:stream:close"];

test("millrace:stream: open and close are told at both ends, without names or contents", async () => {
  await noting(STREAMS, async (noted) => {
    await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
      bob.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
      await time.run(alice.sendText("secret", { ...TO_BOB, streamId: "s", attributes: { key: "secret" }, confirm: true }));
      assert.equal(noted.map(({ name, message }) => [name, (message as StreamMessage).direction]), [
        ["millrace:stream:open", "out"],
        ["millrace:stream:open", "in"],
        ["millrace:stream:close", "in"],
        ["millrace:stream:close", "out"],
      ]);
      const [first, , , closed] = noted.map(({ message }) => message as StreamCloseMessage);
      const { runtime, ...rest } = first ?? {};
      assert.equal(rest, { streamId: "s", direction: "out", kind: "text", size: 6 });
      assert.is(closed?.runtime, runtime);
      assert.equal([closed?.bytes, typeof closed?.duration, closed?.code], [6, "number", undefined]);
      assert.not.match(JSON.stringify(noted), /secret|alice|bob|"t"/);
    });
  });
});

test("millrace:stream: names and reasons are told if the runtime was asked for them; a failure has its code", async () => {
  await noting(STREAMS, async (noted) => {
    await inVirtualTime(async (room) => {
      const { runtime: alice } = await room.join("alice", { diagnosticNames: true });
      const { runtime: bob } = await room.join("bob");
      const readers = collectReaders(bob);
      await alice.streamBytes(TO_BOB);
      await room.time.advance(0);
      await last(readers).cancel("enough");
      await room.time.advance(10);
      const closes = noted.filter(({ name }) => name.endsWith("close")).map(({ message }) => message as StreamCloseMessage);
      assert.equal(closes.map(({ direction, code }) => [direction, code]), [["in", "cancelled"], ["out", "cancelled"]]);
      assert.equal(closes.map(({ names }) => names), [
        undefined,
        { identity: "alice", topic: "t", identities: ["bob"], reason: "enough" },
      ]);
    });
  });
});

test("millrace:peer: joins and departures are told", async () => {
  await noting(["millrace:peer:join", "millrace:peer:leave"], async (noted) => {
    await inVirtualTime(async (room) => {
      await room.join("alice", { diagnosticNames: true });
      const bob = room.hub.join("bob");
      bob.open({ packet: () => {}, joined: () => {}, left: () => {}, closed: () => {} });
      await room.time.advance(0);
      await bob.close();
      await room.time.advance(0);
      assert.equal(noted.map(({ name, message }) => [name, (message as PeerMessage).names?.peer]), [
        ["millrace:peer:join", "bob"],
        ["millrace:peer:leave", "bob"],
      ]);
    });
  });
});

test("millrace:flow:wait: is told once for each wait, with its cause", async () => {
  await noting(["millrace:flow:wait"], async (noted) => {
    await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
      const readers = collectReaders(bob, "t", { window: 60_000 });
      await time.advance(0);
      const sent = alice.sendBytes(pattern(300_000), TO_BOB);
      await time.advance(5_000);
      assert.equal(noted.map(({ message }) => (message as FlowWaitMessage).waitsFor), ["credit"]);
      await time.run(last(readers).readAll());
      await time.run(sent);
      assert.ok(noted.length < 50, `${noted.length} waits`);
    });
  });
});

test("tracing:millrace: a send and its receive are traces, joined by the trace in the header", async () => {
  const traces = ["start", "end", "asyncStart", "asyncEnd", "error"];
  const names = ["send", "receive"].flatMap((kind) => traces.map((name) => `tracing:millrace.${kind}:${name}`));
  const fill = (message: unknown): void => void ((message as TraceMessage).trace["traceparent"] = "00-1-2-01");
  subscribe("tracing:millrace.send:start", fill);
  try {
    await noting(names, async (noted) => {
      await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
        const text = nextText(bob, "t");
        await time.run(alice.sendText("hi", { ...TO_BOB, attributes: { own: "1" } }));
        const reader = await text;
        assert.equal(reader.info.attributes, { own: "1" }, "users do not see the trace");
        assert.is(await reader.readAll(), "hi");
        await time.advance(0);
        assert.equal(
          noted.map(({ name }) => name.slice("tracing:millrace.".length)),
          [
            ...["send:start", "send:end", "receive:start", "receive:end"],
            ...["send:asyncStart", "send:asyncEnd", "receive:asyncStart", "receive:asyncEnd"],
          ].sort(byOrder(noted)),
        );
        const messageOf = (name: string): TraceMessage =>
          noted.find((one) => one.name === `tracing:millrace.${name}`)?.message as TraceMessage;
        assert.is(messageOf("send:start"), messageOf("send:asyncEnd"), "one object from start to end");
        assert.equal(messageOf("receive:start").trace, { traceparent: "00-1-2-01" });
        assert.equal([messageOf("send:asyncEnd").bytes, messageOf("receive:asyncEnd").bytes], [2, 2]);
      });
    });
  } finally {
    unsubscribe("tracing:millrace.send:start", fill);
  }
});

/** Order of names as they were noted: the ends of both streams may come in either order. */
function byOrder(noted: readonly { name: string }[]): (one: string, other: string) => number {
  const placeOf = (name: string): number => noted.findIndex((one) => one.name === `tracing:millrace.${name}`);
  return (one, other) => placeOf(one) - placeOf(other);
}

test("tracing:millrace: failures of a send, of a stream and of a handler are the traces' errors", async () => {
  await noting(["tracing:millrace.send:error", "tracing:millrace.receive:error"], async (noted) => {
    await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
      const failed = alice.sendText("hi", { topic: "t", destinationIdentities: ["nobody"] });
      await time.run(failed.then(() => assert.unreachable(), () => {}));
      assert.equal(noted.map(codeOf), [["send", "disconnected"]]);
      bob.registerTextStreamHandler("t", () => {
        throw new TypeError("broken");
      });
      const cancelled = alice.sendText("hi", { ...TO_BOB, confirm: true });
      await time.run(cancelled.then(() => assert.unreachable(), () => {}));
      await time.advance(0);
      assert.equal(new Set(noted.slice(1).map((one) => codeOf(one).join())), new Set(["receive,TypeError", "send,cancelled"]));
    });
  });
});

function codeOf({ name, message }: { name: string; message: unknown }): readonly unknown[] {
  const error = (message as TraceMessage).error as { code?: string; name: string };
  return [name.split(/[.:]/)[2], error.code ?? error.name];
}

test("tracing:millrace: a handler runs in the store that a subscriber has bound", async () => {
  const store = new AsyncLocalStorage<string>();
  const start = channel("tracing:millrace.receive:start");
  start.bindStore(store, (message) => `span of ${(message as TraceMessage).streamId}`);
  try {
    await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
      const seen: (string | undefined)[] = [];
      bob.registerTextStreamHandler("t", async (reader) => {
        seen.push(store.getStore());
        await reader.readAll();
        seen.push(store.getStore());
      });
      await time.run(alice.sendText("hi", { ...TO_BOB, streamId: "s", confirm: true }));
      assert.equal(seen, ["span of s", "span of s"]);
    });
  } finally {
    start.unbindStore(store);
  }
});

test("tracing:millrace: a trace that no header has room for is left out, and the text is sent", async () => {
  for (const trace of [{ baggage: "x".repeat(1_025) }, Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, ""]))]) {
    const fill = (message: unknown): void => void Object.assign((message as TraceMessage).trace, trace);
    subscribe("tracing:millrace.send:start", fill);
    try {
      await sendsOne(async (room) => {
        assert.is(await textOf(room, {}), "hi");
      });
    } finally {
      unsubscribe("tracing:millrace.send:start", fill);
    }
  }
});

async function sendsOne(body: (room: HubFixture) => Promise<void>): Promise<void> {
  await noting(["tracing:millrace.receive:start"], async (noted) => {
    await inVirtualTime(body);
    assert.equal(noted.map(({ message }) => (message as TraceMessage).trace), [{}]);
  });
}

async function textOf(room: HubFixture, attributes: Record<string, string>): Promise<string> {
  const { runtime: alice } = await room.join("alice");
  const { runtime: bob } = await room.join("bob");
  const text = nextText(bob, "t");
  await room.time.run(alice.sendText("hi", { ...TO_BOB, attributes }));
  return await (await text).readAll();
}

test("tracing:millrace: a header that is full leaves the trace out", async () => {
  const fill = (message: unknown): void => void Object.assign((message as TraceMessage).trace, { traceparent: "x".repeat(500) });
  subscribe("tracing:millrace.send:start", fill);
  try {
    await sendsOne(async (room) => {
      assert.is(await textOf(room, { a: "x".repeat(14_600) }), "hi");
    });
  } finally {
    unsubscribe("tracing:millrace.send:start", fill);
  }
});

test.run();
