import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { connect, disposeAll, inRooms } from "./rooms.ts";
import { startRedis, startServer } from "./server.ts";

const test = suite("livekit server");

test("x", async () => {
  await using server = await startServer();
  await inRooms(async () => {
    const alice = await connect(server, "alice", "a");
    assert.is(alice.isConnected, true);
  });
  await using redis = await startRedis();
  assert.ok(redis.address);
});
test.after(disposeAll);
test.run();
