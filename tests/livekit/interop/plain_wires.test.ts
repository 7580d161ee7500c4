// Plain streams in a room: the same as on the hub, though they come by the SDK's reader as well.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { nextBytes } from "../../support/handlers.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { CUT, expectedOf, outcomesOf, WIRES } from "../../support/hub/plain_wires.ts";
import { rejection } from "../../support/rejections.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { livekit } from "../../../transports/livekit/mod.ts";

const test = suite("plain streams in a room");
const rooms = await LiveKitRooms.start();

/** Number of tries: a clean end by the SDK's reader came in a third of them. */
const TRIES = 8;

test("plain streams in a room: each ends with its code and its sender's reason", () =>
  rooms.in(async (fixture) => {
    const { runtime: alice } = await fixture.join("alice");
    const dave = livekit(await fixture.plain("dave"));
    assert.equal(await outcomesOf(WIRES, dave, alice), expectedOf(WIRES));
    await dave.close();
  }));

for (const who of ["alice", "dave"]) {
  test(`plain streams in a room: without a trailer none ends whole when ${who} disconnects`, () =>
    rooms.in(async (fixture) => {
      const { runtime: alice, room } = await fixture.join("alice");
      const davesRoom = await fixture.plain("dave");
      const dave = livekit(davesRoom);
      const cut = async (): Promise<void> => {
        await until(() => room.remoteParticipants.has("dave"));
        await (who === "alice" ? room : davesRoom).disconnect();
      };
      assert.equal(await outcomesOf(CUT, dave, alice, cut), expectedOf(CUT));
    }));
}

test(
  "plain streams in a room: a lost connection never makes a stream or file whole",
  () =>
    inTemporaryFolder((folder) =>
      rooms.in(async (fixture) => {
        for (let i = 0; i < TRIES; i++) {
          const dave = await fixture.plain(`dave ${i}`);
          const { runtime: alice, room } = await fixture.join(`alice ${i}`);
          const read = nextBytes(alice, "read");
          const saved = nextBytes(alice, "saved");
          for (const topic of ["read", "saved"]) {
            const writer = await dave.localParticipant?.streamBytes({
              topic,
              name: "a.bin",
              destinationIdentities: [`alice ${i}`],
            });
            await writer?.write(pattern(40_000));
          }
          const reading = rejection(async () => await (await read).readAll(), "disconnected");
          const saving = rejection(async () => await (await saved).saveTo(`${folder}/`), "disconnected");
          await Promise.all([read, saved]);
          await room.disconnect();
          await Promise.all([reading, saving]);
        }
        assert.equal(await readdir(join(folder)), []);
      })
    ),
  { seconds: 40 },
);

test.after(() => rooms.close());
test.run();
