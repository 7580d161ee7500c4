// How streams end before they are whole, and what each end is told.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { ByteStreamReader, Runtime, TextStreamReader } from "../mod.ts";
import { suite } from "./harness.ts";
import { collectTexts, inPair, inParty, nextBytes, nextText, nextWhole, pattern, pause, until } from "./participants.ts";
import { rejection } from "./rejections.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";
import { VirtualTime } from "./virtual_time.ts";

const test = suite("ending");

test("abort is an error everywhere, with its reason", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    const text = await alice.streamText({ topic: "t" });
    const binary = await alice.streamBytes({ topic: "b" });
    await text.write("half");
    await binary.write(pattern(100_000));
    await text.abort("changed my mind");
    await binary.abort("changed my mind");
    for (const reader of [await texts, await bytes]) {
      const error = await rejection(() => reader.readAll(), "aborted");
      assert.is(error.reason, "changed my mind");
      assert.is(error.identity, "alice");
      assert.is(error.streamId, reader.info.streamId);
      assert.is(await rejection(() => reader.closed, "aborted"), error);
      assert.is(reader.actor.getSnapshot().value, "failed");
    }
  }));

test("abort without a reason gives readers none", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.abort();
    const error = await rejection(async () => await (await heard).readAll(), "aborted");
    assert.is(error.reason, undefined);
  }));

test("an abort with a reason of any length reaches the readers", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.abort("ä".repeat(100_000));
    const error = await rejection(async () => await (await heard).readAll(), "aborted");
    assert.match(error.reason ?? "", /^ä{100,}$/);
  }));

test("what came before an abort can still be read", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.write("first");
    await writer.write("second");
    const reader = await heard;
    await until(() => writer.progress.received === 11);
    await writer.abort();
    await pause(20);
    const parts: string[] = [];
    await rejection(async () => {
      for await (const part of reader) parts.push(part);
    }, "aborted");
    assert.is(parts.join(""), "firstsecond");
  }));

test("close with a reason is a clean end, and the reason can be read", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    const text = await alice.streamText({ topic: "t" });
    await text.write("all");
    await text.close({ reason: "end of story" });
    const binary = await alice.streamBytes({ topic: "b" });
    await binary.write(pattern(100_000));
    await binary.close({ reason: "end of file", attributes: { crc: "1" } });
    const heard = await texts;
    assert.is(await heard.readAll(), "all");
    assert.equal(await heard.closed, { reason: "end of story", attributes: {} });
    const saved = await bytes;
    assert.is((await saved.readAll()).length, 100_000);
    assert.equal(await saved.closed, { reason: "end of file", attributes: { crc: "1" } });
  }));

test("a signal that was aborted before sends nothing", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const texts = collectTexts(bob);
      const path = join(folder, "x");
      await writeFile(path, "x");
      const why = new Error("never mind");
      const signal = AbortSignal.abort(why);
      for (
        const send of [
          () => alice.streamText({ signal }),
          () => alice.sendText("x", { signal }),
          () => alice.streamBytes({ signal }),
          () => alice.sendBytes(pattern(1), { signal }),
          () => alice.sendFile(path, { signal }),
        ]
      ) assert.is((await rejection(send, "aborted")).cause, why);
      await alice.sendText("after", { confirm: true });
      assert.equal(texts, ["after"]);
    })
  ));

test("a signal aborted meanwhile ends writers, with its reason as cause, and readers", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const controller = new AbortController();
    const writer = await alice.streamText({ signal: controller.signal });
    await writer.write("half");
    const why = new Error("never mind");
    controller.abort(why);
    const error = await rejection(() => writer.write("more"), "aborted");
    assert.is(error.cause, why);
    assert.is(await rejection(() => writer.close(), "aborted"), error);
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("a signal ends a write that waits for room", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    const controller = new AbortController();
    const sending = alice.sendBytes(pattern(8_000_000), { destinationIdentities: ["bob"], signal: controller.signal });
    const reader = await heard;
    await pause(50);
    controller.abort();
    await rejection(() => sending, "aborted");
    await rejection(() => reader.readAll(), "aborted");
  }));

test("a signal ends the wait for receipts", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const controller = new AbortController();
    const sending = alice.sendText("read me", { confirm: true, signal: controller.signal });
    await heard;
    await pause(20);
    controller.abort();
    await rejection(() => sending, "aborted");
  }));

test("a signal ends a send whose source yields nothing", () =>
  inPair(async (alice, bob) => {
    nextBytes(bob);
    let returned = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          returned = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    const controller = new AbortController();
    const sending = alice.sendBytes(source, { signal: controller.signal });
    await pause(20);
    controller.abort();
    await rejection(() => sending, "aborted");
    assert.ok(returned);
  }));

test("a receiver that cancels ends a send whose source yields nothing", () =>
  inPair(async (alice, bob) => {
    bob.registerByteStreamHandler("", async (reader) => await reader.cancel());
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    await rejection(() => alice.sendBytes(source, { destinationIdentities: ["bob"] }), "cancelled");
    await until(() => cancelled);
  }));

test("a signal aborted after the end does nothing", () =>
  inPair(async (alice, bob, party) => {
    const texts = collectTexts(bob);
    const controller = new AbortController();
    await alice.sendText("whole", { confirm: true, signal: controller.signal });
    controller.abort();
    await pause(10);
    assert.equal(texts, ["whole"]);
    assert.equal(party.told("alice"), []);
  }));

test("a source that fails aborts its stream, with its error as cause", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    const why = new Error("the disk is on fire");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield pattern(20_000);
      await pause(5);
      throw why;
    }
    const error = await rejection(() => alice.sendBytes(source()), "aborted");
    assert.is(error.cause, why);
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("a source that yields what are no bytes is an invalid argument", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    async function* source(): AsyncGenerator<Uint8Array> {
      yield pattern(20_000);
      await pause(5);
      yield "text" as unknown as Uint8Array;
    }
    await rejection(() => alice.sendBytes(source()), "invalid-argument");
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

const FAILING_HANDLERS: [string, (reader: TextStreamReader) => void | Promise<void>][] = [
  ["throws before reading", () => {
    throw new Error("no such room");
  }],
  ["rejects before reading", () => Promise.reject(new Error("no such room"))],
  ["rejects while reading", async (reader) => {
    for await (const _ of reader) throw new Error("no such room");
  }],
  ["throws what is no error", () => {
    // deno-lint-ignore no-throw-literal -- any value can be thrown
    throw "no such room";
  }],
];

for (const [how, handler] of FAILING_HANDLERS) {
  test(`a handler that ${how} cancels its stream and nothing else`, () =>
    inPair(async (alice, bob, party) => {
      bob.registerTextStreamHandler("bad", handler);
      const texts = collectTexts(bob, "good");
      const good = await alice.streamText({ topic: "good", confirm: true });
      const writer = await alice.streamText({ topic: "bad", destinationIdentities: ["bob"] });
      await writer.write("x").catch(() => {});
      await until(() => writer.actor.getSnapshot().value === "failed");
      await rejection(() => writer.write("y"), "cancelled");
      await rejection(() => alice.sendText("x", { topic: "bad", confirm: true }), "cancelled");
      await good.write("fine");
      await good.close();
      assert.equal(texts, ["fine"]);
      const [told] = party.told("bob");
      assert.is(told?.context.streamId, writer.info.streamId);
      assert.is(told?.context.topic, "bad");
      assert.is(told?.context.identity, "alice");
      const { cause } = told?.error ?? {};
      assert.is(cause instanceof Error ? cause.message : cause, "no such room");
    }));
}

test("what a handler throws after its stream is whole goes to onError only", () =>
  inPair(async (alice, bob, party) => {
    bob.registerTextStreamHandler("", async (reader) => {
      await reader.readAll();
      throw new Error("too late");
    });
    const info = await alice.sendText("read", { confirm: true });
    assert.equal(info.receipts, [{ identity: "bob", bytes: 4 }]);
    await until(() => party.told("bob").length === 1);
    assert.is((party.told("bob")[0]?.error.cause as Error).message, "too late");
    assert.equal(party.told("alice"), []);
  }));

test("an onError that throws or rejects harms nobody", () =>
  inParty(async (party) => {
    const alice = await party.join("alice");
    let told = 0;
    const bob = await party.join("bob", {
      onError: (() => {
        if (++told === 1) throw new Error("no log");
        return Promise.reject(new Error("no log"));
      }) as () => void,
    });
    bob.registerTextStreamHandler("bad", () => Promise.reject(new Error("handler")));
    for (let i = 0; i < 2; i++) await rejection(() => alice.sendText("x", { topic: "bad", confirm: true }), "cancelled");
    await until(() => told === 2);
  }));

test("cancel tells the sender to stop, with its reason", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ destinationIdentities: ["bob"] });
    const reader = await heard;
    await reader.cancel("heard enough");
    await until(() => writer.actor.getSnapshot().value === "failed");
    const error = await rejection(() => writer.write("x"), "cancelled");
    assert.is(error.reason, "heard enough");
    assert.is(error.identity, "bob");
    const own = await rejection(() => reader.closed, "cancelled");
    assert.is(own.reason, "heard enough");
    await reader.cancel("again");
    await rejection(() => reader.readAll(), "cancelled");
  }));

test("cancel with what is no reason is an invalid argument, and the stream goes on", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ destinationIdentities: ["bob"], confirm: true });
    const reader = await heard;
    for (const wrong of [5, null, {}]) await rejection(() => reader.cancel(wrong as string), "invalid-argument");
    await writer.write("still here");
    const closing = writer.close();
    assert.is(await reader.readAll(), "still here");
    await closing;
  }));

for (const early of ["left", "thrown out of", "returned from before it began"] as const) {
  test(`a for-await loop ${early} tells the sender`, () =>
    inPair(async (alice, bob) => {
      const heard = nextBytes(bob);
      const sending = alice.sendBytes(pattern(5_000_000), { destinationIdentities: ["bob"] });
      const reader = await heard;
      if (early === "returned from before it began") await reader[Symbol.asyncIterator]().return?.();
      else {
        await rejectOrNot(async () => {
          for await (const _ of reader) {
            if (early === "left") break;
            throw new Error("no");
          }
        });
      }
      await rejection(() => sending, "cancelled");
      await rejection(() => reader.closed, "cancelled");
    }));
}

test("leaving an await using scope of a reader cancels it, unless it is whole", () =>
  inPair(async (alice, bob) => {
    const steps: string[] = [];
    bob.registerTextStreamHandler("", async (given) => {
      await using reader = given;
      for await (const part of reader) {
        steps.push(part);
        if (part === "stop") return;
      }
    });
    await alice.sendText("all", { confirm: true });
    const writer = await alice.streamText({ destinationIdentities: ["bob"] });
    await writer.write("stop");
    await until(() => writer.actor.getSnapshot().value === "failed");
    await rejection(() => writer.write("x"), "cancelled");
    assert.equal(steps, ["all", "stop"]);
  }));

test("leaving an await using scope of a writer aborts it, unless it was closed", () =>
  inPair(async (alice, bob) => {
    const ends: string[] = [];
    bob.registerTextStreamHandler("", async (reader) => {
      await reader.readAll().then((text) => ends.push(text), (error) => ends.push(error.code));
    });
    {
      await using writer = await alice.streamText();
      await writer.write("closed");
      await writer.close();
    }
    {
      await using writer = await alice.streamText();
      await writer.write("left");
    }
    await until(() => ends.length === 2);
    assert.equal(ends, ["closed", "aborted"]);
  }));

test("closing a runtime aborts its writers, and ends its readers with disconnected", () =>
  inPair(async (alice, bob) => {
    const toBob = nextText(bob);
    const toAlice = nextBytes(alice);
    const text = await alice.streamText();
    await text.write("half");
    const binary = await bob.streamBytes({ destinationIdentities: ["alice"] });
    await binary.write(pattern(100));
    const bobReads = await toBob;
    const aliceReads = await toAlice;
    const reading = rejection(() => bobReads.readAll(), "aborted");
    await alice.close();
    await rejection(() => text.write("more"), "aborted");
    await rejection(() => text.close(), "aborted");
    await rejection(() => aliceReads.readAll(), "disconnected");
    await reading;
    await until(() => binary.actor.getSnapshot().value === "failed");
    await rejection(() => binary.write(pattern(1)), "disconnected");
  }));

test("a stream aborted by its runtime's close is aborted for who reads it later too", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.write("half");
    const reader = await heard;
    await alice.close();
    await pause(20);
    await rejection(() => reader.readAll(), "aborted");
  }));

test("what was sent whole before its sender closed is still read", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    await alice.sendText("farewell", { topic: "t" });
    await alice.sendBytes(pattern(100_000), { topic: "b", confirm: false });
    await alice.close();
    assert.is(await (await texts).readAll(), "farewell");
    assert.equal(await (await bytes).readAll(), pattern(100_000));
  }));

for (const gone of ["bob", "alice"] as const) {
  test(`when ${gone} vanishes, the other end is disconnected`, () =>
    inPair(async (alice, bob, party) => {
      const heard = nextBytes(bob);
      const writer = await alice.streamBytes({ destinationIdentities: ["bob"] });
      await writer.write(pattern(100));
      const reader = await heard;
      const reading = rejection(() => reader.readAll(), "disconnected");
      party.hub.vanish(gone);
      await reading;
      await until(() => writer.actor.getSnapshot().value === "failed");
      const error = await rejection(() => writer.write(pattern(1)), "disconnected");
      if (gone === "bob") assert.is(error.identity, "bob");
    }));
}

test("calls of a runtime whose transport has ended are disconnected, of a closed one closed", () =>
  inPair(async (alice, bob, party) => {
    party.hub.vanish("alice");
    await until(() => alice.actor.getSnapshot().value === "closed");
    const calls = (runtime: Runtime): (() => unknown)[] => [
      () => runtime.streamText(),
      () => runtime.sendText("x"),
      () => runtime.streamBytes(),
      () => runtime.sendBytes(pattern(1)),
      () => runtime.sendFile("x"),
      () => runtime.registerTextStreamHandler("x", () => {}),
      () => runtime.registerByteStreamHandler("x", () => {}),
    ];
    for (const call of calls(alice)) await rejection(call, "disconnected");
    await bob.close();
    for (const call of calls(bob)) await rejection(call, "closed");
  }));

test("no sign of life of a sender for idleTimeout is a timeout", async () => {
  const time = new VirtualTime();
  await inPair(
    async (alice, bob, party) => {
      const heard = nextText(bob);
      const writer = await alice.streamText();
      await writer.write("half");
      const reader = await heard;
      const reading = rejection(() => reader.readAll(), "timeout");
      party.hub.vanish("alice", { toldAfter: Infinity });
      await time.run(reading);
      assert.ok(time.now() >= 30_000 && time.now() <= 45_000, `after ${time.now()} ms`);
    },
    { clock: time },
    { clock: time },
  );
});

test("a sender that lives may pause as long as it likes", async () => {
  const time = new VirtualTime();
  await inPair(
    async (alice, bob) => {
      const texts = collectTexts(bob, "t");
      const bytes = nextWhole(bob, "b");
      const writer = await alice.streamText({ topic: "t", confirm: true });
      const binary = await alice.streamBytes({ topic: "b" });
      await writer.write("let me think");
      await binary.write(pattern(70_000));
      await time.advance(3_600_000);
      await writer.write("… 42");
      await binary.write(pattern(70_000));
      await Promise.all([time.run(writer.close()), time.run(binary.close())]);
      assert.equal(texts, ["let me think… 42"]);
      assert.is((await bytes).length, 140_000);
    },
    { clock: time, pool: false },
    { clock: time },
  );
});

test("a receiver that takes nothing for stallTimeout is a timeout at the sender", async () => {
  const time = new VirtualTime();
  await inPair(
    async (alice, bob) => {
      const heard = nextBytes(bob);
      const sending = rejection(() => alice.sendBytes(pattern(3_000_000), { destinationIdentities: ["bob"] }), "timeout");
      const reader: ByteStreamReader = await heard;
      await time.run(sending);
      assert.ok(time.now() >= 30_000 && time.now() <= 65_000, `after ${time.now()} ms`);
      await rejection(() => reader.readAll(), "timeout");
    },
    { clock: time, pool: false },
    { clock: time },
  );
});

test("file system failures are file-error with a cause, before anything is sent", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const heard: unknown[] = [];
      bob.registerByteStreamHandler("", (reader) => void heard.push(reader));
      for (const path of [join(folder, "missing"), folder]) {
        const error = await rejection(() => alice.sendFile(path), "file-error");
        assert.instance(error.cause, Error);
      }
      await rejection(() => alice.sendText("see attached", { attachments: [join(folder, "missing")] }), "file-error");
      assert.equal(heard, []);
    })
  ));

async function rejectOrNot(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.is((error as Error).message, "no");
  }
}

test.run();
