import * as assert from "uvu/assert";
import { programCommand } from "../../../bench/support/program_command.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { suite } from "../../support/harness.ts";
import { ExampleProgram } from "../../support/livekit/example_program.ts";
import { connect, disposeAll, inRooms } from "../../support/livekit/rooms.ts";
import { startServer } from "../../../bench/support/server.ts";

const test = suite("native logs");

test("dropLogs: no native logs reach this thread once a Room is adopted; all other events do, in all rooms", async () => {
  await using server = await startServer();
  await inRooms(async () => {
    const alice = await connect(server, "alice", "logs");
    const transport = livekit(alice);
    let logs = 0;
    const count = (event: { message: { case?: string } }): void => void (logs += event.message.case === "logs" ? 1 : 0);
    const client = (globalThis as unknown as { _ffiClientInstance: NodeJS.EventEmitter })._ffiClientInstance;
    client.on("ffi_event", count);
    try {
      const bob = await connect(server, "bob", "logs");
      const heard = new Promise<string>((resolve) => {
        alice.on("dataReceived", (bytes: Uint8Array) => resolve(new TextDecoder().decode(bytes)));
      });
      logs = 0; // what was on its way
      await bob.localParticipant?.publishData(new TextEncoder().encode("hello"), { reliable: true });
      assert.is(await heard, "hello");
      assert.is(logs, 0);
    } finally {
      client.off("ffi_event", count);
      await transport.close();
    }
  });
});

test("dropLogs: no native logs are written to stderr", async () => {
  await using server = await startServer();
  const command = programCommand("tests/fixtures/livekit_reconnecting", server.url, await server.token("alice", "logs"));
  await using program = new ExampleProgram(command, { env: { NODE_ENV: "production" } });
  assert.is(await program.ended, 0);
  assert.equal([program.out, program.err], ["done\n", ""]);
}, { seconds: 30 });

test.after(disposeAll);
test.run();
