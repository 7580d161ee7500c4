// Memory of packets in pages: chunks are encoded into one array, and arrays are freed once nobody can need them.
import { Room } from "livekit-client";
import * as assert from "uvu/assert";
import { OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import type { SdkEvents } from "../../transports/livekit/sdk/events.ts";
import type { FfiMessage } from "../../transports/livekit/sdk/ffi_messages.ts";
import { chunkPacketClass } from "../../transports/livekit_client/chunk_packet.ts";
import { internalsOf } from "../../transports/livekit_client/internals.ts";
import { ClientRoom } from "../../transports/livekit_client/room.ts";
import { SentPackets } from "../../transports/livekit_client/sent_packets.ts";
import { pattern } from "../support/bytes.ts";
import { suite } from "../support/harness.ts";
import { FakeClientRoom } from "../support/pages/fake_client_room.ts";

/** Sizes on both sides of each length of a protobuf number. */
const SIZES = [0, 1, 100, 127, 128, 129, 15_000, 16_383, 16_384, 65_000] as const;

const CHUNK_BYTES = 15_000;

/** Chunks of 3 MB: more than is kept, and more than one batch that is freed. */
const CHUNKS = 200;

/** Members of the SDK's packets that a test uses. */
interface SdkPacket {
  value: FfiMessage;
  sequence: number;
  toBinary(): Uint8Array;
  equals(other: unknown): boolean;
}

interface SdkPacketClass {
  new (fields: object): SdkPacket;
  fromBinary(bytes: Uint8Array): SdkPacket;
}

const test = suite("livekit-client's memory");

test("chunkPacketClass: the SDK decodes each packet to what its own encoder would have sent", () => {
  const DataPacket = sdkClass();
  let encoded = 0;
  const ChunkPacket = chunkPacketClass(DataPacket as never, () => void encoded++) as unknown as SdkPacketClass;
  for (const size of SIZES) {
    for (const destinationIdentities of [[], ["bob"], ["bob", "cäsar", "d".repeat(200)]]) {
      for (const sequence of [0, 1, 300, 4_000_000_000]) {
        const value = { streamId: `stream ${size}`, chunkIndex: BigInt(size) ** 3n, content: pattern(size) };
        const [ours, theirs] = [ChunkPacket, DataPacket].map((Class) => {
          const packet = new Class({ value: { case: "streamChunk", value }, destinationIdentities });
          packet.sequence = sequence;
          return packet;
        }) as [SdkPacket, SdkPacket];
        const decoded = DataPacket.fromBinary(ours.toBinary());
        assert.ok(decoded.equals(DataPacket.fromBinary(theirs.toBinary())), `${size} bytes, sequence ${sequence}`);
        assert.is(ours.value.case, "streamChunk", "the packet stays as it was");
      }
    }
  }
  assert.ok(encoded > 0);
});

test("chunkPacketClass: other packets, and those that the SDK encrypts, are the SDK's own", () => {
  const DataPacket = sdkClass();
  const ChunkPacket = chunkPacketClass(DataPacket as never, () => assert.unreachable()) as unknown as SdkPacketClass;
  const trailer = { case: "streamTrailer", value: { streamId: "s", reason: "", attributes: { a: "b" } } };
  const chunk = { case: "streamChunk", value: { streamId: "s", chunkIndex: 1n, content: pattern(10) } };
  const encrypted = { case: "encryptedPacket", value: { encryptedValue: pattern(20), keyIndex: 1 } };
  for (const [made, sent] of [[trailer, trailer], [chunk, encrypted]] as const) {
    const packet = new ChunkPacket({ value: made });
    const { value } = new DataPacket({ value: sent });
    packet.value = value;
    assert.equal(packet.toBinary(), new DataPacket({ value: sent }).toBinary(), sent.case);
  }
});

test("chunkPacketClass: packets of a library that does not list its fields stay as they are", () => {
  for (
    const Class of [
      class {},
      class {
        static readonly fields = { list: () => [] };
      },
    ]
  ) {
    assert.is(chunkPacketClass(Class as never, () => {}), Class as never);
  }
});

test("SentPackets: frees all but the last megabyte, in the order of sending", () => {
  const packets = chunks();
  const sent = new SentPackets();
  for (const packet of packets) sent.add(packet);
  const freed = packets.findIndex(({ length }) => length > 0);
  assert.ok(freed >= (CHUNKS * CHUNK_BYTES - 1_000_000 - 200_000) / CHUNK_BYTES - 1, `${freed} are freed`);
  const left = packets.slice(freed);
  assert.ok(left.every(({ length }) => length === CHUNK_BYTES) && left.length * CHUNK_BYTES >= 1_000_000 - CHUNK_BYTES);
});

test("SentPackets: what was sent before a connection was lost is never freed", () => {
  const [before, after] = [chunks(), chunks()];
  const sent = new SentPackets();
  for (const packet of before.slice(-60)) sent.add(packet); // less than is kept
  sent.leave();
  for (const packet of after) sent.add(packet);
  assert.ok(before.slice(-60).every(({ length }) => length === CHUNK_BYTES));
  assert.is(after[0]?.length, 0);
});

test("ClientRoom: what was sent is freed, but for packets from before and during a loss of the connection", async () => {
  for (const event of [undefined, "signalReconnecting", "reconnecting"]) {
    const room = new FakeClientRoom();
    const DataPacket = sdkClass();
    room.localParticipant.publishDtmf = async function () {
      await this.engine?.sendDataPacket(
        new DataPacket({ value: { case: "sipDtmf", value: { code: 0, digit: "0" } } }) as never,
        0,
      );
    };
    const sdk = new ClientRoom(room);
    sdk.listen(new Proxy({}, { get: () => () => {} }) as SdkEvents);
    const encoded = async (count: number): Promise<Uint8Array[]> => {
      const { sent } = room.engine as NonNullable<FakeClientRoom["engine"]>;
      const first = sent.length;
      for (let i = 0; i < count; i++) await sdk.sendChunk("s", i, new Uint8Array(CHUNK_BYTES), ["bob"]);
      return (sent.slice(first) as unknown as SdkPacket[]).map((packet) => packet.toBinary());
    };
    const before = await encoded(60); // less than is kept
    if (event !== undefined) {
      room.state = event;
      room.emit(event);
    }
    const during = await encoded(60);
    room.state = "connected";
    const after = await encoded(CHUNKS);
    const whole = (packets: readonly Uint8Array[]): boolean => packets.every(({ length }) => length > CHUNK_BYTES);
    assert.equal([whole(before), whole(during)], event === undefined ? [false, false] : [true, true], event);
    assert.is(after[0]?.length, 0, event);
    sdk.stop(new Error("the test is over"));
  }
});

test("ClientRoom: chunks are freed once the runtime has them, those of the Room and of another sender never", () => {
  const room = new FakeClientRoom();
  const sdk = new ClientRoom(room);
  let bytes = 0;
  const events: Partial<SdkEvents> = {
    opened: ({ attributes }) => Object.hasOwn(attributes, OWN_ATTRIBUTE) ? "nowhere" : "room",
    chunk: (_id, _index, content) => void (bytes += content.length),
  };
  sdk.listen(new Proxy(events, { get: (given, name) => Reflect.get(given, name) ?? (() => {}) }) as SdkEvents);
  room.receive(header("one", { [OWN_ATTRIBUTE]: "1" }), "bob");
  room.receive(header("two"), "bob");
  const received = (streamId: string, from: string): Uint8Array[] => {
    const contents = chunks();
    for (const [index, content] of contents.entries()) {
      room.receive({ case: "streamChunk", value: { streamId, chunkIndex: BigInt(index), content } }, from);
    }
    return contents;
  };
  const whole = (contents: readonly Uint8Array[]): boolean => contents.every(({ length }) => length === CHUNK_BYTES);
  assert.ok(whole(received("two", "bob")), "the Room's");
  assert.ok(whole(received("one", "eve")), "another sender's");
  const freed = received("one", "bob").filter(({ length }) => length === 0).length;
  assert.ok(freed > CHUNKS - 20, `${freed} of ${CHUNKS} are freed`);
  assert.is(bytes, 3 * CHUNKS * CHUNK_BYTES);
  room.receive(header("one"), "bob");
  assert.ok(whole(received("one", "bob")), "a later stream of the id");
  sdk.stop(new Error("the test is over"));
});

test.run();

function chunks(): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: CHUNKS }, () => new Uint8Array(CHUNK_BYTES));
}

/** The class of packets of livekit-client, of a Room that is told that it is connected. */
function sdkClass(): SdkPacketClass {
  const room = Object.assign(new Room(), { state: "connected" });
  return internalsOf(room as never).DataPacket as unknown as SdkPacketClass;
}

function header(streamId: string, attributes: Record<string, string> = {}): FfiMessage {
  const contentHeader = { case: "byteHeader", value: { name: "" } };
  return {
    case: "streamHeader",
    value: { streamId, timestamp: 1n, mimeType: "application/octet-stream", topic: "t", attributes, contentHeader },
  };
}
