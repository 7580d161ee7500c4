// Participants of a room, by the server's late news and by earlier packets.
import * as assert from "uvu/assert";
import { Presence } from "../../transports/livekit/presence.ts";
import { suite } from "../support/harness.ts";

const test = suite("Presence");

function presence(present: Record<string, string> = {}): { room: Presence; told: string[]; asked: Set<string> } {
  const told: string[] = [];
  const asked = new Set<string>();
  const room = new Presence(new Map(Object.entries(present)), {
    joined: (identity) => void told.push(`joined ${identity}`),
    left: (identity) => void told.push(`left ${identity}`),
    unlisted: (identity) => void asked.add(identity),
    settled: (identity) => void asked.delete(identity),
  });
  return { room, told, asked };
}

const begins = (): boolean => true;

test("Presence: news of a participant that was met or is known are no news", () => {
  const { room, told } = presence({ bob: "1" });
  room.join("bob", "1");
  room.noteSender("carol", begins);
  room.join("carol", "2");
  room.join("carol", "2");
  assert.equal(told, ["joined carol"]);
  assert.equal(room.identities, ["bob", "carol"]);
});

test("Presence: an unlisted participant is asked for until the server lists it, or it is gone", () => {
  const { room, told, asked } = presence({ bob: "1" });
  room.noteSender("bob", begins);
  room.noteSender("carol", begins);
  room.noteAnswer("dave");
  room.noteAnswer("carol");
  room.noteAnswer("bob");
  assert.equal(asked, new Set(["carol", "dave"]));
  room.rejoin("dave");
  assert.equal(asked, new Set(["carol", "dave"]));
  room.join("carol", "2");
  room.leave("dave");
  assert.equal(asked, new Set());
  assert.equal(told, ["joined carol", "joined dave", "left dave", "joined dave", "left dave"]);
});

test("Presence: another sid is another instance", () => {
  const { room, told } = presence({ bob: "1" });
  room.join("bob", "2");
  assert.equal(told, ["left bob", "joined bob"]);
});

test("Presence: a departure is reported once", () => {
  const { room, told } = presence({ bob: "1" });
  room.leave("bob");
  room.leave("bob");
  room.rejoin("bob");
  assert.equal(told, ["left bob"]);
  assert.is(room.has("bob"), false);
});

test("Presence: late packets of a departed participant do not bring it back", () => {
  const { room, told } = presence({ bob: "1" });
  room.leave("bob");
  assert.is(room.noteSender("bob", () => false), false);
  assert.equal(room.identities, []);
  assert.equal(told, ["left bob"]);
});

test("Presence: a returned participant is present from its first packet or the server's news on", () => {
  for (const comeBack of [(room: Presence) => room.noteSender("bob", begins), (room: Presence) => room.join("bob", "2")]) {
    const { room, told } = presence({ bob: "1" });
    room.leave("bob");
    comeBack(room);
    assert.is(room.noteSender("bob", () => false), true);
    assert.equal(told, ["left bob", "joined bob"]);
  }
});

test.run();
