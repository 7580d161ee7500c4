// Broadcasts during which others come and go.
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { collectTexts, nextBytes } from "../../support/handlers.ts";
import { heardBy, type LiveKitRoom, LiveKitRooms, type Member } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import type { Room } from "../../support/livekit/rooms.ts";

const test = suite("mid-stream");
const rooms = await LiveKitRooms.start();

test("broadcast: participants who join midway get nothing of it, and the next one whole", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const bytes = nextBytes(bob.runtime, "b");
    const writer = await alice.runtime.streamBytes({ topic: "b", confirm: true });
    await writer.write(pattern(300_000));
    const reader = await bytes;
    const dave = await fixture.plain("dave");
    const toDave = heardBy(dave, "t");
    const bytesToDave: unknown[] = [];
    dave.registerByteStreamHandler("b", (reader) => void bytesToDave.push(reader));
    const carol = await fixture.join("carol");
    const bytesToCarol: unknown[] = [];
    carol.runtime.registerByteStreamHandler("b", (reader) => void bytesToCarol.push(reader));
    const toCarol = collectTexts(carol.runtime, "t");
    const toBob = collectTexts(bob.runtime, "t");
    await fixture.acquaint(alice, carol);
    await until(() => alice.room.remoteParticipants.has("dave"));
    await writer.write(pattern(300_000));
    const closing = writer.close();
    const whole = await reader.readAll();
    await closing;
    assert.ok(Buffer.compare(whole, Buffer.concat([pattern(300_000), pattern(300_000)])) === 0);
    assert.equal(writer.info.receipts, [{ identity: "bob", bytes: 600_000 }]);
    await alice.runtime.sendText("to all", { topic: "t", confirm: true });
    await until(() => toDave.length === 1); // the receipts have told that the others have it
    assert.equal([toBob, toCarol, toDave.map(({ text }) => text)], [["to all"], ["to all"], ["to all"]]);
    assert.equal([bytesToCarol, bytesToDave], [[], []]);
  }));

for (const kind of ["runtime", "participant of another SDK"] as const) {
  test(`broadcast: a ${kind} who leaves midway does not disturb the others`, () =>
    rooms.in(async (fixture) => {
      const other = kind === "runtime" ? undefined : await fixture.plain("carol");
      const [alice, bob] = await fixture.acquaintedPair();
      const bytes = nextBytes(bob.runtime, "b");
      const carol = other ?? await joinReader(fixture, alice, bob);
      const begun = kind === "runtime" ? undefined : new Promise((resolve) => other?.registerByteStreamHandler("b", resolve));
      const writer = await alice.runtime.streamBytes({ topic: "b", confirm: true });
      await writer.write(pattern(300_000));
      const reader = await bytes;
      await begun;
      await carol.disconnect();
      await until(() => !alice.room.remoteParticipants.has("carol"));
      await writer.write(pattern(300_000, 2));
      const closing = writer.close();
      const whole = await reader.readAll();
      await closing;
      assert.ok(Buffer.compare(whole, Buffer.concat([pattern(300_000), pattern(300_000, 2)])) === 0);
      const receipts = writer.info.receipts ?? [];
      assert.equal(receipts[0], { identity: "bob", bytes: 600_000 });
      // Carol's claim may have come in time, or not.
      assert.ok(receipts.slice(1).every(({ identity, error }) => identity === "carol" && error === "disconnected"));
    }));
}

test.after(() => rooms.close());
test.run();

/** Carol, a runtime that reads a broadcast of topic "b". */
async function joinReader(fixture: LiveKitRoom, ...others: readonly Member[]): Promise<Room> {
  const carol = await fixture.join("carol");
  carol.runtime.registerByteStreamHandler("b", async (reader) => void await reader.readAll().catch(() => undefined));
  await fixture.acquaint(carol, ...others);
  await until(() => others.every(({ room }) => room.remoteParticipants.has("carol")));
  return carol.room;
}
