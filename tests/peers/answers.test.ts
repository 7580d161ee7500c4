// Frequent questions of one peer: answers are few, and other peers do not wait for them.
import * as assert from "uvu/assert";
import { Answers } from "../../actors/peers/answers.ts";
import type { ControlMessage } from "../../protocol/wire/control.ts";
import { suite } from "../support/harness.ts";
import { type HubFixture, inVirtualTime } from "../support/hub/hub_fixture.ts";
import type { RawParticipant } from "../support/hub/raw_participant.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("Answers");

test("Answers: the first go out at once, then one in 50 ms, and the last question is answered", async () => {
  const time = new VirtualTime();
  let sent = 0;
  const answers = new Answers(time, () => sent++);
  for (let i = 0; i < 500; i++) answers.request();
  assert.is(sent, 20);
  await time.advance(49);
  assert.is(sent, 20);
  await time.advance(1);
  assert.is(sent, 21);
  await time.advance(10_000);
  assert.is(sent, 21, "one answer is to all that was asked meanwhile");
  for (let i = 0; i < 20; i++) answers.request();
  assert.is(sent, 41, "after a while the first go out at once again");
  answers.request();
  answers.stop();
  assert.is(time.pending, 0);
});

/** Ways to make a runtime answer: each packet is sent 500 times in a second. */
const QUESTIONS: Readonly<Record<string, (eve: RawParticipant, index: number) => void>> = {
  "hellos": (eve) => eve.hello("bob"),
  "hellos of ever new lives": (eve, index) => eve.control({ ...HELLO, instance: `eve-${index}` }, "bob"),
  "rows of streams that never were": (eve, index) =>
    eve.state("bob", { receiving: [{ sequence: index, claim: "claimed", credit: 1, received: 0, taken: 0 }] }),
  "states without a hello": (eve, index) =>
    eve.control({ kind: "state", instance: `life-${index}`, about: "x", credit: 0, receiving: [], sending: [] }, "bob"),
};

const HELLO: ControlMessage = {
  kind: "hello",
  instance: "eve",
  streamWindow: 60_000,
  credit: 60_000,
  idleTimeout: 30_000,
  encodings: ["raw"],
  answer: true,
};

async function ask(
  room: HubFixture,
  eve: RawParticipant,
  question: (eve: RawParticipant, index: number) => void,
): Promise<number> {
  const before = eve.packets.length;
  for (let i = 0; i < 500; i++) {
    question(eve, i);
    await room.time.advance(2);
  }
  await room.time.advance(200);
  return eve.packets.length - before;
}

for (const [what, question] of Object.entries(QUESTIONS)) {
  test(`Answers: 500 ${what} in a second get a few packets`, async () => {
    await inVirtualTime(async (room) => {
      await room.join("bob");
      const eve = room.raw("eve");
      if (!what.startsWith("states")) eve.hello("bob");
      await room.time.advance(1);
      const answers = await ask(room, eve, question);
      assert.ok(answers >= 1 && answers <= 60, `${answers} answers`);
    });
  });
}

for (const idleTimeout of [0, 1, 30, 999]) {
  test(`keep-alive: a peer with an idle time-out of ${idleTimeout} ms gets three per second`, async () => {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob");
      const eve = room.raw("eve");
      eve.hello("bob", { idleTimeout });
      await room.time.advance(1);
      await room.time.run(bob.runtime.streamText({ destinationIdentities: ["eve"] }));
      const before = eve.packets.length;
      await room.time.advance(10_000);
      const signs = eve.packets.length - before;
      assert.ok(signs >= 25 && signs <= 35, `${signs} in 10 s`);
    });
  });
}

test.run();
