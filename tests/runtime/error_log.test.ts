// Errors that no call can reject with: a line each, without `onError`.
import * as assert from "uvu/assert";
import { ErrorLog } from "../../actors/runtime/error_log.ts";
import { causeText, escaped, StreamError } from "../../errors.ts";
import { createHub, createRuntime, type RuntimeOptions } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("ErrorLog");

/** Lines written to the console's stderr during a call. */
async function written(body: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const before = console.error;
  console.error = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    await body();
  } finally {
    console.error = before;
  }
  return lines;
}

/** A runtime in a room, without an `onError` unless one is given. */
async function join(
  room: HubFixture,
  identity: string,
  onError?: RuntimeOptions["onError"],
): Promise<Awaited<ReturnType<HubFixture["join"]>>> {
  return await room.join(identity, { onError } as Partial<RuntimeOptions>);
}

test("ErrorLog: a handler's exception is a line with code, message and the exception's own message", async () => {
  const thrown: (() => Promise<unknown>)[] = [
    () => Promise.resolve("{ not json").then((text) => JSON.parse(text) as unknown),
    () => Promise.reject(new Error("no such row")),
  ];
  for (const fail of thrown) {
    const lines = await written(() =>
      inVirtualTime(async (room) => {
        const alice = await join(room, "alice");
        const bob = await join(room, "bob");
        bob.runtime.registerTextStreamHandler("chat", async (reader) => {
          await reader.readAll();
          await fail();
        });
        await room.time.run(alice.runtime.sendText("x", { topic: "chat" }));
        await room.time.advance(10);
      })
    );
    assert.is(lines.length, 1, lines.join("\n"));
    assert.match(lines[0] ?? "", /^millrace: cancelled: Cannot .*(JSON|no such row).*topic is "chat".*"alice"/);
  }
});

test("ErrorLog: a failed saveTo in a handler is a line with the file system's reason", async () => {
  const lines = await written(async () => {
    const hub = createHub();
    const alice = await createRuntime({ transport: hub.join("alice"), pool: false });
    const bob = await createRuntime({ transport: hub.join("bob"), pool: false });
    bob.registerByteStreamHandler("f", async (reader) => void await reader.saveTo("/dev/null/nope/"));
    await alice.sendBytes(pattern(10), { topic: "f", name: "a" }).catch(() => {});
    await alice.close();
    await bob.close();
  });
  assert.is(lines.length, 1, lines.join("\n"));
  assert.match(lines[0] ?? "", /^millrace: file-error: /);
});

test("ErrorLog: one line per code and second; the next one counts the omitted", async () => {
  const lines = await written(() =>
    inVirtualTime(async (room) => {
      const alice = await join(room, "alice");
      const bob = await join(room, "bob");
      bob.runtime.registerTextStreamHandler("t", () => {
        throw new Error("again");
      });
      const send = (): Promise<unknown> =>
        room.time.run(alice.runtime.sendText("x", { topic: "t", destinationIdentities: ["bob"] }));
      for (let i = 0; i < 20; i++) await send();
      await room.time.advance(999);
      await send();
      await room.time.advance(1);
      await send();
      await room.time.advance(1);
    })
  );
  assert.is(lines.length, 2, lines.join("\n"));
  assert.match(lines[1] ?? "", "20 more");
});

test("onError: any callback, even an empty one, silences the log", async () => {
  for (const onError of [() => {}, () => Promise.reject(new Error("its own"))] as RuntimeOptions["onError"][]) {
    const lines = await written(() =>
      inVirtualTime(async (room) => {
        const alice = await join(room, "alice", onError);
        const bob = await join(room, "bob", onError);
        bob.runtime.registerTextStreamHandler("t", () => {
          throw new Error("unheard");
        });
        await room.time.run(alice.runtime.sendText("x", { topic: "t" }));
        await room.time.advance(10);
      })
    );
    assert.equal(lines, []);
  }
});

test("ErrorLog: codes are counted separately, and a line is one line whatever others wrote", () => {
  const lines: string[] = [];
  let now = 0;
  const log = new ErrorLog({ now: () => now, write: (line) => void lines.push(line) });
  const evil = "a\u001b[2J\n\r\u0007\u2028\u202e\u009b0m\ud800%s";
  log.note(new StreamError("refused", `Cannot take it: stream id is "${evil}"`), { topic: evil, identity: evil });
  log.note(new StreamError("corrupt", "Cannot take it", { cause: new Error(evil) }), {});
  log.note(new StreamError("corrupt", "Cannot take it", { cause: { message: "of another realm" } }), {});
  now = 1_000;
  log.note(new StreamError("corrupt", "Cannot take it (why)", { cause: new Error("why") }), { identity: "bob" });
  assert.is(lines.length, 3);
  for (const line of lines) assert.not.match(line, /[\p{Cc}\p{Cs}\u2028\u202e]/u);
  assert.match(lines[0] ?? "", 'topic is "a\\u001b[2J\\u000a');
  assert.match(lines[1] ?? "", "cause is a\\u001b");
  assert.is(lines[2], 'millrace: corrupt: Cannot take it (why), participant is "bob", 1 more of this code were not shown');
});

test("ErrorLog: messages are escaped, causes cut, and throwing or empty causes left out", () => {
  assert.is(new StreamError("refused", "a\nb\u0000").message, "a\\u000ab\\u0000");
  assert.is(escaped("größe 😀 👩‍🚀 %s"), "größe 😀 👩‍🚀 %s");
  const trap = {
    get message(): string {
      throw new Error("trap");
    },
  };
  assert.equal([undefined, null, trap, {}, new Error(""), "text", 5, Symbol("s")].map(causeText), [
    "",
    "",
    "",
    "",
    "Error",
    "text",
    "5",
    "Symbol(s)",
  ]);
  assert.ok(causeText(new Error("x".repeat(5_000))).length < 310);
});

test("StreamError: messages carry the message of their cause", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    bob.runtime.registerByteStreamHandler("t", () => {
      throw new Error("of the handler");
    });
    const to = { topic: "t", destinationIdentities: ["bob"] };
    const failed = (call: Promise<unknown>): Promise<string> =>
      room.time.run(call.then(() => "", (error: Error) => error.message));
    const signal = AbortSignal.abort(new Error("of the signal"));
    assert.match(await failed(alice.runtime.sendText("x", { ...to, signal })), "of the signal");
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("of the source")) });
    assert.match(await failed(alice.runtime.sendBytes(source, to)), "of the source");
    await failed(alice.runtime.sendBytes(pattern(1), to));
    const onProgress = (): never => {
      throw new Error("of the progress");
    };
    await failed(alice.runtime.sendText("x", { ...to, onProgress }));
    assert.match(bob.errors.map(({ message }) => message).join(), "of the handler");
    assert.match(alice.errors.map(({ message }) => message).join(), "of the progress");
  });
});

test.run();
