// Who is in a room, by what the server tells, late as it may be, and by what comes from whom.
import * as assert from "uvu/assert";
import { Presence } from "../transports/livekit_presence.ts";
import { suite } from "./harness.ts";

const test = suite("presence");

test("those who were there before are known, and nobody is told of them", () => {
  const { presence, told } = scene(new Map([["bob", "sid 1"]]));
  assert.equal(presence.identities, ["bob"]);
  presence.join("bob", "sid 1");
  assert.equal(told, []);
});

test("whoever sends something is here, whatever it is, and late news of it is none", () => {
  const { presence, told } = scene();
  assert.is(presence.meet("bob", () => false), true);
  presence.join("bob", "sid 1");
  presence.join("bob", "sid 1");
  assert.equal(told, ["joined bob"]);
});

test("another life under the same name ends the one before", () => {
  const { presence, told } = scene();
  presence.join("bob", "sid 1");
  presence.join("bob", "sid 2");
  assert.equal(told, ["joined bob", "left bob", "joined bob"]);
});

test("the last packets of one who has left make nobody of him", () => {
  const { presence, told } = scene();
  presence.meet("bob", () => true);
  presence.leave("bob");
  assert.is(presence.meet("bob", () => false), false);
  assert.equal(presence.identities, []);
  assert.equal(told, ["joined bob", "left bob"]);
});

test("one who has come back is here by his first word, or by the server's, and what follows counts", () => {
  for (const comeBack of [(of: Presence) => of.meet("bob", () => true), (of: Presence) => of.join("bob", "sid 2")]) {
    const { presence, told } = scene();
    presence.join("bob", "sid 1");
    presence.leave("bob");
    comeBack(presence);
    assert.is(presence.meet("bob", () => false), true);
    assert.equal(told, ["joined bob", "left bob", "joined bob"]);
  }
});

test("a connection made anew is the end of what was under way with those who were there", () => {
  const { presence, told } = scene(new Map([["bob", "sid 1"], ["carol", undefined]]));
  presence.lost();
  presence.leave("carol");
  presence.join("dave", "sid 3");
  presence.renewed();
  assert.equal(told, ["left carol", "joined dave", "left bob", "joined bob"]);
  presence.renewed();
  assert.is(told.length, 4);
});

test.run();

function scene(present: ReadonlyMap<string, string | undefined> = new Map()): { presence: Presence; told: string[] } {
  const told: string[] = [];
  const presence = new Presence(present, {
    joined: (identity) => void told.push(`joined ${identity}`),
    left: (identity) => void told.push(`left ${identity}`),
  });
  return { presence, told };
}
