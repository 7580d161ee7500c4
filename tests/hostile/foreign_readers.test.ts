// Streams of other SDKs come twice from the SDK below: by a reader and packet by packet, in any order.
import * as assert from "uvu/assert";
import type { ChunkPacket, Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import { SdkReaders } from "../../transports/livekit/sdk_readers.ts";
import type { ReaderEvents, SdkReader } from "../../transports/livekit/sdk/events.ts";
import { suite } from "../support/harness.ts";
import { plainHeader } from "../support/hub/raw_participant.ts";

const test = suite("ForeignReaders");
const AB = new Uint8Array([1, 2]);
const CD = new Uint8Array([3, 4]);
const PACKED = new Uint8Array([9]);

/** All interleavings of two lists of events. */
function interleavings<T>(a: readonly T[], b: readonly T[]): T[][] {
  const [first, ...rest] = a;
  const [other, ...others] = b;
  if (first === undefined || other === undefined) return [[...a, ...b]];
  return [
    ...interleavings(rest, b).map((events) => [first, ...events]),
    ...interleavings(a, others).map((events) => [other, ...events]),
  ];
}

type Event = (stream: Stream) => void;
const packets = (...contents: Uint8Array[]): Event[] =>
  contents.map((content, index) => ({ packet }) => packet(chunk(index, content)));
const decoded = (...contents: Uint8Array[]): Event[] => contents.map((content) => ({ events }) => events.chunk(content));
const trailing = (reason = ""): Event => ({ packet }) => packet(trailer(reason));
const ending = (error?: string): Event => ({ events }) => events.end({ tokens: "2" }, error);

const forms: Record<string, { byPackets: Event[]; byReader: Event[]; totalSize?: number; told: string[] }> = {
  "plain": {
    byPackets: [...packets(AB, CD), trailing()],
    byReader: [...decoded(AB, CD), ending()],
    told: ["0:1,2", "1:3,4", "end"],
  },
  "plain, given up": {
    byPackets: [...packets(AB), trailing("why")],
    byReader: [...decoded(AB), ending("stream closed abnormally: why")],
    told: ["0:1,2", "end why"],
  },
  "plain, with a chunk missing": {
    byPackets: [...packets(AB), ({ packet }) => packet(chunk(2, CD)), trailing()],
    byReader: [...decoded(AB), ending("a chunk is missing")],
    told: ["0:1,2", "2:3,4", "end"],
  },
  "plain, and empty": { byPackets: [trailing()], byReader: [ending()], told: ["end"] },
  "compressed": {
    byPackets: [...packets(PACKED, PACKED), trailing()],
    byReader: [...decoded(AB, CD), ending()],
    told: ["0:1,2", "1:3,4", "end"],
  },
  "compressed, given up": {
    byPackets: [...packets(PACKED), trailing("why")],
    byReader: [...decoded(AB), ending("stream closed abnormally: why")],
    told: ["0:1,2", "end why"],
  },
  "compressed, and broken": {
    byPackets: [...packets(PACKED), trailing()],
    byReader: [...decoded(AB), ending("decompression failed")],
    told: ["0:1,2", "2:", "end"],
  },
};

test("ForeignReaders: packets and reader events may come in any order", () => {
  for (const [name, { byPackets, byReader, told }] of Object.entries(forms)) {
    for (const events of interleavings(byPackets, byReader)) {
      const stream = reading();
      for (const event of events) event(stream);
      stream.wait();
      assert.equal(stream.told.slice(1), told, name);
      assert.ok(stream.stopped, name);
    }
  }
});

test("ForeignReaders: a stream inside its header ends by its reader, at once if it has the announced size", () => {
  const stream = reading(2);
  stream.events.chunk(AB);
  stream.events.end({ h: "1", tokens: "2" }, undefined);
  assert.equal(stream.told, ["header", "0:1,2", "end tokens=2"]);
  const empty = reading(0);
  empty.events.end({}, undefined);
  assert.equal(empty.told, ["header"]); // a connection that ends before its trailer looks alike
  empty.wait();
  assert.equal(empty.told, ["header", "end"]);
});

test("ForeignReaders: a stream whose reader ends before any packet came is waited for", () => {
  const short = reading(4);
  short.events.chunk(AB);
  short.events.end({}, undefined);
  assert.equal(short.told, ["header"]);
  short.wait();
  assert.equal(short.told, ["header", "0:1,2", "end"]);
  const broken = reading(4);
  broken.events.end({}, "decompression failed");
  broken.wait();
  broken.wait();
  assert.equal(broken.told, ["header", "1:", "end"]);
});

test("ForeignReaders: a stream whose reader ends cleanly without a trailer is not whole", () => {
  for (const content of [AB, PACKED]) {
    const stream = reading(2);
    stream.packet(chunk(0, content));
    stream.events.chunk(AB);
    stream.events.end({}, undefined);
    stream.wait();
    assert.equal(stream.told, ["header", "0:1,2"]);
    stream.readers.drop("dave");
    stream.packet(trailer(""));
    assert.equal(stream.told, ["header", "0:1,2"]);
  }
});

test("ForeignReaders: packets held for the reader's answer are bounded, and copied", () => {
  const stream = reading();
  const content = new Uint8Array(15_000);
  for (let index = 0; index < 1_000; index++) stream.packet(chunk(index, content));
  assert.equal(stream.told, ["header", "1:", "end"]);
  const other = reading();
  const reused = new Uint8Array(AB);
  other.packet(chunk(0, reused));
  reused.fill(7);
  other.events.chunk(AB);
  other.packet(chunk(1, CD));
  assert.equal(other.told, ["header", "0:1,2", "1:3,4"]);
});

test("ForeignReaders: packets that should be encrypted but are not end their stream", () => {
  const stream = reading();
  stream.packet(chunk(0, AB));
  stream.events.chunk(AB);
  stream.events.end({}, "encryption type mismatch");
  assert.equal(stream.told, ["header", "0:1,2", "2:", "end"]);
  const disordered = reading();
  for (const index of [2, 0]) disordered.packet(chunk(index, AB));
  disordered.events.end({}, "encryption type mismatch");
  assert.equal(disordered.told.slice(-2), ["4:", "end"]); // behind all that came: chunk 3 is missing
});

test("ForeignReaders: a plain stream whose reader gives nothing is taken from its packets", () => {
  for (
    const [error, totalSize] of [["UTF-8 decoding error: incomplete", undefined], ["length exceeded", 1]] as const
  ) {
    for (const first of ["packet", "reader"]) {
      const stream = reading(totalSize);
      if (first === "reader") stream.events.end({}, error);
      stream.packet(chunk(0, AB));
      if (first === "packet") stream.events.end({}, error);
      stream.packet(chunk(1, CD));
      assert.equal(stream.told, ["header", "0:1,2", "1:3,4"]);
      assert.is(stream.waits, 0);
    }
  }
  const packed = reading();
  packed.packet(chunk(0, PACKED));
  packed.events.end({}, "decompression failed");
  packed.packet(trailer(""));
  assert.equal(packed.told, ["header", "1:", "end"]);
});

test("ForeignReaders: no packet is held once the answer is known or the sender is gone", () => {
  const late = reading(4);
  late.events.chunk(AB);
  late.events.end({}, undefined);
  assert.is(late.waits, 1);
  late.packet(chunk(0, AB));
  assert.is(late.waits, 0);
  const gone = reading(4);
  gone.events.end({}, undefined);
  gone.readers.drop("dave");
  assert.is(gone.waits, 0);
});

test("ForeignReaders: packets of a stream that was read are a second copy, up to the trailer", () => {
  const stream = reading(2);
  stream.events.chunk(AB);
  stream.events.end({}, undefined);
  assert.ok(stream.packet(chunk(0, AB)));
  assert.ok(stream.packet(trailer("")));
  assert.not(stream.packet(trailer("")));
  assert.equal(stream.told, ["header", "0:1,2", "end"]);
});

test("ForeignReaders: streams inside their headers, whose trailer never comes, are forgotten in time", () => {
  const { readers, open, wait } = many();
  for (let i = 0; i < 1_000; i++) {
    open(`${i}`).end({}, undefined);
    wait();
  }
  assert.ok(readers.packet(chunk(0, AB, "999"), "dave"));
  assert.not(readers.packet(chunk(0, AB, "0"), "dave"));
  readers.forget("dave", "999");
  assert.not(readers.packet(chunk(0, AB, "999"), "dave"));
});

test("ForeignReaders: a stream with an open stream's id replaces that; a sender who leaves takes all", () => {
  const { readers, told, stopped, open, wait } = many();
  const first = open("a");
  const second = open("a");
  assert.equal(stopped, ["a"]);
  first.chunk(AB);
  readers.packet(chunk(0, CD, "a"), "dave");
  second.chunk(CD);
  assert.equal(told, ["header", "header", "0:3,4"]);
  open("b").end({}, undefined);
  wait();
  open("b");
  readers.packet(trailer("", "b"), "dave");
  assert.not(readers.packet(chunk(0, AB, "b"), "dave")); // the one before is forgotten
  stopped.length = 0;
  readers.drop("dave");
  assert.equal(stopped, ["a"]);
  assert.not(readers.packet(chunk(1, AB, "a"), "dave"));
});

test.run();

function chunk(index: number, content: Uint8Array, streamId = "a"): ChunkPacket {
  return { type: "chunk", streamId, index, content };
}

function trailer(reason: string, streamId = "a"): TrailerPacket {
  return { type: "trailer", streamId, reason, attributes: {} };
}

function describe(packet: Packet): string {
  if (packet.type === "chunk") return `${packet.index}:${packet.content.join()}`;
  if (packet.type !== "trailer") return packet.type;
  const attributes = Object.entries(packet.attributes).map(([key, value]) => `${key}=${value}`);
  return ["end", packet.reason, ...attributes].filter((word) => word !== "").join(" ");
}

interface Stream {
  readonly readers: SdkReaders;
  readonly told: string[];
  readonly events: ReaderEvents;
  readonly stopped: boolean;
  /** Number of waits for late packets. */
  readonly waits: number;
  packet(packet: ChunkPacket | TrailerPacket): boolean;
  /** Lets the time for late packets pass. */
  wait(): void;
}

function reading(totalSize?: number): Stream {
  const { readers, told, stopped, waiting, open, wait } = many();
  const events = open("a", { attributes: { h: "1" }, ...(totalSize === undefined ? {} : { totalSize }) });
  return {
    readers,
    told,
    events,
    get stopped() {
      return stopped.length > 0;
    },
    get waits() {
      return waiting.size;
    },
    packet: (packet) => readers.packet(packet, "dave"),
    wait,
  };
}

function many(): {
  readers: SdkReaders;
  told: string[];
  stopped: string[];
  waiting: Set<() => void>;
  open(streamId: string, header?: Partial<StreamHeader>): ReaderEvents;
  wait(): void;
} {
  const told: string[] = [];
  const stopped: string[] = [];
  const waiting = new Set<() => void>();
  const readers = new SdkReaders((packet) => void told.push(describe(packet)), (done) => {
    waiting.add(done);
    return () => void waiting.delete(done);
  });
  const open = (streamId: string, header: Partial<StreamHeader> = { totalSize: 0 }): ReaderEvents => {
    let events: ReaderEvents | undefined;
    const reader: SdkReader = { read: (given) => void (events = given), stop: () => void stopped.push(streamId) };
    readers.open(plainHeader(streamId, "chat", "bytes", header), "dave", reader);
    if (events === undefined) throw new Error("The reader was not read");
    return events;
  };
  const wait = (): void => {
    for (const done of [...waiting]) {
      waiting.delete(done);
      done();
    }
  };
  return { readers, told, stopped, waiting, open, wait };
}
