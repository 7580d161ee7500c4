// Misspelt options: all are refused, as an ignored one might send a secret to all.
import * as assert from "uvu/assert";
import { createActor, createMachine, toPromise } from "xstate";
import { sendBytesActor, sendFileActor, sendTextActor, streamListener } from "../../actors/mod.ts";
import { createCodecPool, createHub, createRuntime, type HubOptions, type Runtime, type RuntimeOptions } from "../../mod.ts";
import { assertKnownNames, nearestName } from "../../protocol/option_names.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("option names");

/** A call, its known names, each misspelt, and the right one. */
const STREAM: readonly [wrong: string, right: string][] = [
  ["destinationIdentitie", "destinationIdentities"],
  ["destinationIdentites", "destinationIdentities"],
  ["destination_identities", "destinationIdentities"],
  ["destinations", "destinationIdentities"],
  ["Topic", "topic"],
  ["tpoic", "topic"],
  ["atributes", "attributes"],
  ["streamID", "streamId"],
  ["totalsize", "totalSize"],
  ["senderIdentiy", "senderIdentity"],
  ["singal", "signal"],
  ["onProgres", "onProgress"],
  ["confrim", "confirm"],
  ["compres", "compress"],
];

const CALLS: readonly [name: string, call: (runtime: Runtime, options: object) => unknown, more: readonly [string, string][]][] =
  [
    ["streamText", (runtime, options) => runtime.streamText(options), [...STREAM, ["replyTo", "replyToId"]]],
    ["sendText", (runtime, options) => runtime.sendText("x", options), [...STREAM, ["attachment", "attachments"]]],
    ["streamRecords", (runtime, options) => runtime.streamRecords(options), [...STREAM, ["shema", "schema"], [
      "fromat",
      "format",
    ]]],
    ["request", (runtime, options) => runtime.request("bob", "x", "x", options), [
      ["timeOut", "timeout"],
      ["singal", "signal"],
      ["schemas", "schema"],
    ]],
    ["streamBytes", (runtime, options) => runtime.streamBytes(options), [...STREAM, ["Name", "name"]]],
    ["sendBytes", (runtime, options) => runtime.sendBytes(pattern(1), options), [...STREAM, ["mimetype", "mimeType"]]],
    ["sendFile", (runtime, options) => runtime.sendFile("/nowhere", options), [...STREAM, ["mime_type", "mimeType"]]],
    ["registerTextStreamHandler", (runtime, options) => runtime.registerTextStreamHandler("x", () => {}, options), [
      ["windw", "window"],
    ]],
    ["registerByteStreamHandler", (runtime, options) => runtime.registerByteStreamHandler("x", () => {}, options), [
      ["Window", "window"],
    ]],
    ["registerRecordStreamHandler", (runtime, options) => runtime.registerRecordStreamHandler("x", () => {}, options), [
      ["schemas", "schema"],
    ]],
    ["sendTextActor", (runtime, options) => run(createActor(sendTextActor, { input: { runtime, text: "x", options } })), STREAM],
    ["sendTextActor's input", (runtime, extra) => run(createActor(sendTextActor, { input: { runtime, text: "x", ...extra } })), [
      ["option", "options"],
    ]],
    [
      "sendBytesActor's input",
      (runtime, extra) => run(createActor(sendBytesActor, { input: { runtime, data: pattern(1), ...extra } })),
      [["Options", "options"]],
    ],
    [
      "sendFileActor's input",
      (runtime, extra) => run(createActor(sendFileActor, { input: { runtime, path: "/nowhere", ...extra } })),
      [["opts", "options"]],
    ],
  ];

function run(actor: Parameters<typeof toPromise>[0] & { start(): unknown }): Promise<unknown> {
  const done = toPromise(actor);
  actor.start();
  return done;
}

test("assertKnownNames: every call with options suggests the right name, and sends nothing", async () => {
  await inVirtualTime(async (room) => {
    const { runtime } = await room.join("alice");
    const eve = room.raw("eve");
    await room.time.advance(1_000);
    for (const [name, call, names] of CALLS) {
      for (const [wrong, right] of names) {
        for (const value of [["bob"], undefined]) {
          const error = await rejection(() => call(runtime, { [wrong]: value }), "invalid-argument").catch((cause) => {
            throw new Error(`Of ${name}, ${wrong}`, { cause });
          });
          assert.match(error.message, `"${wrong}"`);
          assert.match(error.message, `"${right}"`);
        }
      }
    }
    assert.equal(eve.headers, []);
  });
});

test("assertKnownNames: writers and readers refuse unknown names, and go on", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const outcomes: unknown[] = [];
    bob.runtime.registerByteStreamHandler("t", async (reader) => {
      outcomes.push((await rejection(() => reader.readAll({ singal: 1 } as object), "invalid-argument")).message);
      outcomes.push((await rejection(() => reader.saveTo("x", { overwrit: true } as object), "invalid-argument")).message);
      outcomes.push((await reader.readAll()).length);
    });
    const writer = await room.time.run(alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"], confirm: true }));
    await room.time.run(writer.write(pattern(5)));
    const error = await rejection(() => writer.close({ reson: "x" } as object), "invalid-argument");
    assert.match(error.message, '"reason"');
    await room.time.run(writer.close());
    assert.match(String(outcomes[0]), '"signal"');
    assert.match(String(outcomes[1]), '"overwrite"');
    assert.is(outcomes[2], 5);
  });
});

test("assertKnownNames: runtimes, pools, hubs and links refuse unknown names", async () => {
  const hub = createHub();
  const transport = hub.join("alice");
  const link = { kind: "reliable" } as const;
  const wrong: readonly [name: string, call: () => unknown][] = [
    ["onError", () => createRuntime({ transport, onerror: () => {} } as RuntimeOptions)],
    ["limits", () => createRuntime({ transport, limit: {} } as RuntimeOptions)],
    ["chunkSize", () => createRuntime({ transport, chunksize: 5 } as RuntimeOptions)],
    ["idleTimeout", () => createRuntime({ transport, limits: { idleTimout: 5 } as object })],
    ["streamBytes", () => createRuntime({ transport, limits: { streamByte: undefined } as object })],
    ["size", () => createCodecPool({ sise: 1 } as object)],
    ["maxQueuedBytes", () => createCodecPool({ maxQueueBytes: 1 } as object)],
    ["link", () => createHub({ lnk: link } as HubOptions)],
    ["seed", () => createHub({ sead: 1 } as HubOptions)],
    ["link", () => hub.join("bob", { links: link } as object)],
    ["delay", () => createHub({ link: { ...link, delays: 5 } as typeof link })],
    ["loss", () => createHub({ link: { ...link, lose: 0.5 } as typeof link })],
    ["ms", () => createHub({ link: { ...link, queue: { MS: 5 } as unknown as { ms: number } } })],
    ["oneWay", () => hub.part("alice", "bob", { oneway: true } as object)],
    ["oneWay", () => hub.heal("alice", "bob", { oneways: true } as object)],
    ["oneWay", () => hub.link("alice", "bob", link, { one_way: true } as object)],
    ["toldAfter", () => hub.vanish("alice", { toldafter: 5 } as object)],
  ];
  for (const [name, call] of wrong) {
    assert.match((await rejection(call, "invalid-argument")).message, `"${name}"`);
  }
  assert.equal(hub.identities, ["alice"]);
  for (const call of [() => createHub(null as never), () => hub.join("bob", 5 as never), () => createCodecPool(null as never)]) {
    await rejection(call, "invalid-argument");
  }
  await transport.close();
});

test("streamListener: refuses unknown names and kinds", async () => {
  await inVirtualTime(async (room) => {
    const { runtime } = await room.join("alice");
    for (const input of [{ option: {} }, { kind: "byte" }, { options: { windows: 5 } }]) {
      const parent = createActor(createMachine({
        invoke: { src: streamListener, input: { runtime, topic: "t", kind: "text", ...input } as never },
      }));
      const failed = new Promise<unknown>((resolve) => void parent.subscribe({ error: resolve }));
      parent.start();
      await rejection(async () => Promise.reject(await failed), "invalid-argument");
    }
    runtime.registerTextStreamHandler("t", () => {});
  });
});

test("assertKnownNames: known names may be undefined or inherited, and members of Object are no options", () => {
  const known = { topic: true, signal: true };
  assertKnownNames({ topic: undefined }, known, "Cannot test");
  assertKnownNames(Object.create({ topic: "x" }) as object, known, "Cannot test");
  assertKnownNames(Object.create(null) as object, known, "Cannot test");
  for (const wrong of [{ toString: 1 }, Object.create({ tpic: 1 }) as object, JSON.parse('{"__proto__":1}') as object]) {
    assert.throws(() => assertKnownNames(wrong, known, "Cannot test"));
  }
});

test("nearestName: is near", () => {
  const known = ["topic", "attributes", "streamId", "signal"];
  for (
    const [wrong, right] of [["topics", "topic"], ["TOPIC", "topic"], ["stream", "streamId"], ["attrs", "attributes"], [
      "zzz",
      undefined,
    ], ["", undefined]]
  ) {
    assert.is(nearestName(wrong ?? "", known), right, wrong);
  }
  const names = { topic: true, attributes: true, streamId: true, signal: true };
  assert.throws(() => assertKnownNames({ zzz: 1 }, names, "Cannot test"), /there are topic, attributes, streamId, signal/);
  assert.throws(() => assertKnownNames({ "a\n\u001b[2J": 1 }, names, "Cannot test"), /"a\\u000a\\u001b\[2J"/);
});

test.run();
