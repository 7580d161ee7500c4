// Streams of other SDKs come twice from the SDK below, by a reader and packet by packet, and nothing says which is quicker.
import * as assert from "uvu/assert";
import type { Packet } from "../protocol/packets.ts";
import { ForeignReaders } from "../transports/livekit_readers.ts";
import type { ReaderEvents, SdkReader } from "../transports/livekit_sdk.ts";
import { suite } from "./harness.ts";
import { plainHeader } from "./participants.ts";

const test = suite("foreign readers");

test("packets that come after the reader's end are still a second copy, up to the trailer", () => {
  const { readers, told, open } = reading();
  const reader = open("a");
  reader.chunk(new Uint8Array([1, 2]));
  assert.ok(readers.has("dave", "a"));
  reader.end({}, undefined);
  assert.equal(told.map(({ type }) => type), ["header", "chunk", "trailer"]);
  assert.ok(readers.has("dave", "a")); // a chunk of the wire, cut in another way than the reader's
  assert.ok(readers.takesTrailer("dave", "a"));
  assert.not(readers.has("dave", "a"));
  assert.not(readers.takesTrailer("dave", "a"));
});

test("a trailer that comes before the reader's end is one too", () => {
  const { readers, open } = reading();
  const reader = open("a");
  assert.ok(readers.takesTrailer("dave", "a"));
  assert.ok(readers.has("dave", "a"));
  reader.end({}, undefined);
  assert.not(readers.has("dave", "a"));
});

test("streams of one packet, whose trailer never comes, are not remembered for ever", () => {
  const { readers, open } = reading();
  const still = open("open");
  for (let i = 0; i < 1_000; i++) open(`${i}`).end({}, undefined);
  assert.ok(readers.has("dave", "999"));
  assert.not(readers.has("dave", "0"));
  assert.ok(readers.has("dave", "open"));
  still.end({}, undefined);
  readers.forget("dave", "999");
  assert.not(readers.has("dave", "999"));
});

test("a stream with the id of one that has ended is a new one; one who leaves takes all along", () => {
  const { readers, told, open, stopped } = reading();
  open("a").end({}, undefined);
  const second = open("a");
  assert.ok(readers.has("dave", "a"));
  readers.forget("dave", "a");
  assert.ok(readers.has("dave", "a")); // it is being read
  second.chunk(new Uint8Array([3]));
  assert.equal(told.at(-1), { type: "chunk", streamId: "a", index: 0, content: new Uint8Array([3]) });
  readers.drop("dave");
  assert.not(readers.has("dave", "a"));
  assert.equal(stopped, ["a"]);
});

test.run();

function reading(): {
  readers: ForeignReaders;
  told: Packet[];
  stopped: string[];
  open(streamId: string): ReaderEvents;
} {
  const told: Packet[] = [];
  const stopped: string[] = [];
  const readers = new ForeignReaders((packet) => void told.push(packet));
  const open = (streamId: string): ReaderEvents => {
    let events: ReaderEvents | undefined;
    const reader: SdkReader = { read: (given) => void (events = given), stop: () => void stopped.push(streamId) };
    readers.open(plainHeader(streamId, "chat", "bytes"), "dave", reader);
    if (events === undefined) throw new Error("The reader was not read");
    return events;
  };
  return { readers, told, stopped, open };
}
