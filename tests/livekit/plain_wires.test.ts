// What a plain SDK's packets mean in a room: the same as on the hub, though they come by the SDK's reader as well.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { nextBytes, pattern, until } from "../support/participants.ts";
import { CUT, expectedOf, outcomesOf, WIRES } from "../support/plain_wires.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { livekit } from "../../transports/livekit/mod.ts";
import { Halls } from "../support/livekit/hall.ts";

const test = suite("plain wires in a room");
const halls = await Halls.start();

/** A clean end by the SDK's reader came in a third of the tries. */
const TRIES = 8;

test("each ends with its code and its sender's reason", () =>
  halls.in(async (hall) => {
    const { runtime: alice } = await hall.join("alice");
    const dave = livekit(await hall.plain("dave"));
    assert.equal(await outcomesOf(WIRES, dave, alice), expectedOf(WIRES));
    await dave.close();
  }));

for (const who of ["alice", "dave"]) {
  test(`without a trailer none ends whole when ${who} disconnects`, () =>
    halls.in(async (hall) => {
      const { runtime: alice, room } = await hall.join("alice");
      const davesRoom = await hall.plain("dave");
      const dave = livekit(davesRoom);
      const cut = async (): Promise<void> => {
        await until(() => room.remoteParticipants.has("dave"));
        await (who === "alice" ? room : davesRoom).disconnect();
      };
      assert.equal(await outcomesOf(CUT, dave, alice, cut), expectedOf(CUT));
    }));
}

test(
  "a connection that ends never makes a stream whole, nor a file",
  () =>
    inTemporaryFolder((folder) =>
      halls.in(async (hall) => {
        for (let i = 0; i < TRIES; i++) {
          const dave = await hall.plain(`dave ${i}`);
          const { runtime: alice, room } = await hall.join(`alice ${i}`);
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

test.after(() => halls.close());
test.run();
