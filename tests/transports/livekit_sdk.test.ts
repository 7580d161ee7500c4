// Requests to LiveKit's SDK and events of it, over a fake client and Room.
import * as assert from "uvu/assert";
import type { FfiMessage } from "../../transports/livekit/sdk/ffi_messages.ts";
import type { SdkEvents } from "../../transports/livekit/sdk/events.ts";
import { SdkRoom } from "../../transports/livekit/sdk/room.ts";
import { suite } from "../support/harness.ts";
import { pause } from "../support/waiting.ts";

const test = suite("Sdk");

/** Codes of calls, as LiveKit defines them, and whether each proves the callee's presence. */
const CODES: readonly (readonly [code: number | undefined, isHere: boolean])[] = [
  [undefined, true],
  [1400, true], // the method is not supported: so it answers that has none
  [1500, true],
  [1502, true], // it said that it has the call
  [1401, false],
  [1501, false],
  [1503, false],
  [1505, false],
];

test("Sdk: whoever answers a call is present, whatever the answer", () =>
  withSdk(async ({ sdk, client }) => {
    for (const [code, isHere] of CODES) {
      const asking = sdk.isHere("bob", 60_000);
      const { value } = client.requests.at(-1) ?? {};
      assert.equal([value?.destinationIdentity, value?.payload], ["bob", ""]);
      client.tell({ case: "performRpc", value: { asyncId: client.last, ...(code === undefined ? {} : { error: { code } }) } });
      assert.is(await asking, isHere, String(code));
    }
  }));

test("Sdk: whoever does not answer in time, or before the end, is absent", () =>
  withSdk(async ({ sdk }) => {
    assert.is(await sdk.isHere("bob", 1), false);
    const asking = sdk.isHere("bob", 60_000);
    const sending = sdk.sendChunk("a", 0, new Uint8Array(1), []).catch((error: unknown) => error);
    sdk.stop(new Error("stopped"));
    assert.is(await asking, false);
    assert.match(String(await sending), "stopped");
  }));

test("Sdk: requests are let out one at a time, with the former bound", () =>
  withSdk(async ({ sdk, client }) => {
    const first = sdk.releaseRequests(64_000);
    await sdk.releaseRequests(64_000);
    assert.equal(client.names, ["setDataChannelBufferedAmountLowThreshold", "sendStreamChunk"]);
    assert.equal(client.requests.at(-1)?.value.destinationIdentities, ["alice"]);
    client.tell({ case: "sendStreamChunk", value: { asyncId: client.last } });
    await first;
    assert.equal(client.requests.map(({ value }) => value.threshold), [2_097_152n, undefined, 64_000n]);
    const failing = sdk.releaseRequests(64_000);
    client.tell({ case: "sendStreamChunk", value: { asyncId: client.last, error: "engine is closed" } });
    await failing;
    assert.is(client.names.at(-1), "sendStreamChunk");
    void sdk.releaseRequests(64_000);
    assert.is(client.names.length, 7);
  }));

test("Sdk: a participant with another sid is a new one for everybody", () =>
  withSdk(({ client, told }) => {
    const update = (identity: string, sid: string): void =>
      client.tellRoom({ case: "participantsUpdated", value: { participants: [{ identity, sid }] } });
    update("bob", "PA_other");
    update("alice", "PA_alice");
    assert.equal(told, []);
    update("alice", "PA_new");
    update("alice", "PA_new");
    assert.equal(told, ["renewed"]);
  }));

test("Sdk: a connection with other data channels is a new one, told before its sid", () =>
  withSdk(async ({ client, told }) => {
    const reconnected = async (...channels: string[]): Promise<void> => {
      client.channels = channels;
      told.length = 0;
      client.tellRoom({ case: "reconnected", value: {} });
      await pause(0);
    };
    await reconnected("D2", "D1");
    assert.equal(told, ["reconnected false"], "resumed");
    await reconnected("D4", "D5");
    assert.equal(told, ["reconnected true"]);
    client.tellRoom({ case: "participantsUpdated", value: { participants: [{ identity: "alice", sid: "PA_new" }] } });
    assert.is(told.length, 1, "the same connection");
    await reconnected();
    assert.equal(told, ["reconnected false"], "unknown");
    client.tellRoom({ case: "participantsUpdated", value: { participants: [{ identity: "alice", sid: "PA_newer" }] } });
    assert.equal(told, ["reconnected false", "renewed"]);
  }));

test("Sdk: a sid that comes before the news of the connection is told with it, once", () =>
  withSdk(async ({ client, told }) => {
    client.tellRoom({ case: "reconnecting", value: {} });
    client.tellRoom({ case: "participantsUpdated", value: { participants: [{ identity: "alice", sid: "PA_new" }] } });
    client.channels = ["D4"];
    client.tellRoom({ case: "reconnected", value: {} });
    await pause(0);
    assert.equal(told, ["lost", "reconnected true"]);
    client.tellRoom({ case: "participantsUpdated", value: { participants: [{ identity: "alice", sid: "PA_other" }] } });
    assert.equal(told.slice(2), ["renewed"]);
  }));

test("Sdk: the room's end is reported once, and another room's events are not", () =>
  withSdk(({ client, sdk, told }) => {
    client.tell({ case: "roomEvent", value: { roomHandle: 99n, message: { case: "eos", value: {} } } });
    assert.equal([told, sdk.connected], [[], true]);
    client.tellRoom({ case: "disconnected", value: { reason: "SERVER_SHUTDOWN" } });
    client.tellRoom({ case: "eos", value: {} });
    assert.equal([told, sdk.connected], [["disconnected SERVER_SHUTDOWN"], false]);
    void sdk.releaseRequests(64_000);
    assert.equal(client.names, []);
  }));

test.run();

class FakeClient {
  /** Requests that it leaves to the test to answer. */
  readonly requests: FfiMessage[] = [];
  /** Ids of the connection's data channels. */
  channels: readonly string[] = ["D1", "D2"];
  last = 0n;
  #lastStats = 0n;
  #listener: ((event: { message: FfiMessage }) => void) | undefined;

  get names(): (string | undefined)[] {
    return this.requests.map((request) => request.case);
  }

  request({ message }: { message: FfiMessage }): { asyncId: bigint } {
    if (message.case === "getSessionStats") return this.#answerStats();
    this.requests.push(message);
    return { asyncId: ++this.last };
  }

  #answerStats(): { asyncId: bigint } {
    const asyncId = --this.#lastStats;
    const channels = this.channels.map((id) => ({ stats: { case: "dataChannel", value: { rtc: { id } } } }));
    const value = { publisherStats: [{ stats: { case: "transport" } }, ...channels] };
    queueMicrotask(() => this.tell({ case: "getSessionStats", value: { asyncId, message: { case: "result", value } } }));
    return { asyncId };
  }

  prependListener(_event: string, listener: (event: { message: FfiMessage }) => void): void {
    this.#listener = listener;
  }

  off(): void {
    this.#listener = undefined;
  }

  emit(): void {}

  tell(message: FfiMessage): void {
    this.#listener?.({ message });
  }

  tellRoom(message: FfiMessage): void {
    this.tell({ case: "roomEvent", value: { roomHandle: 1n, message } });
  }
}

async function withSdk(
  body: (parts: { sdk: SdkRoom; client: FakeClient; told: string[] }) => void | Promise<void>,
): Promise<void> {
  const client = new FakeClient();
  const told: string[] = [];
  const room = {
    isConnected: true,
    ffiHandle: { handle: 1n },
    localParticipant: { identity: "alice", ffi_handle: { handle: 2n }, info: { sid: "PA_alice" } },
    remoteParticipants: new Map(),
    textStreamHandlers: new Map(),
    byteStreamHandlers: new Map(),
  };
  Object.assign(globalThis, { _ffiClientInstance: client });
  try {
    const sdk = new SdkRoom(room);
    const events = new Proxy({}, {
      get: (_, name) => (word: unknown = "") => void told.push(`${String(name)} ${String(word)}`.trim()),
    });
    sdk.listen(events as SdkEvents);
    await body({ sdk, client, told });
    sdk.stop(new Error("the test is over"));
  } finally {
    Reflect.deleteProperty(globalThis, "_ffiClientInstance");
  }
}
