// Receiver of pipe.ts: takes the streams that come by its standard input, and ends with it.
import process from "node:process";
import { createRuntime } from "../../../mod.ts";
import { pipeTransport } from "./pipe_transport.ts";

const bob = await createRuntime({ transport: pipeTransport("bob", "alice", process.stdin, process.stdout) });
bob.registerByteStreamHandler("pipe", async (reader) => {
  for await (const _part of reader);
});
process.stdin.once("end", () => void bob.close().then(() => process.exit()));
