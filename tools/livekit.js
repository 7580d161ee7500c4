// npm run livekit [-- --port 7880] [--redis 127.0.0.1:6379] [--install]
// Runs a LiveKit server on 127.0.0.1 until Ctrl-C. Builds a missing server by Go.
import process from "node:process";
import { parseArgs } from "node:util";
import { buildLivekitServer, livekitConfig, startLivekitServer } from "./lib/servers/livekit_server.js";
import { isFreeTcp, isFreeUdp } from "./lib/servers/ports.js";
import { find } from "./lib/programs/programs.js";

process.once("beforeExit", () => process.exit()); // see tools/lib/launch.js
try {
  const argv = process.argv.slice(2);
  const args = argv[0] === "--" ? argv.slice(1) : argv;
  const { values } = parseArgs({
    args,
    options: { port: { type: "string" }, redis: { type: "string" }, install: { type: "boolean" } },
  });
  const port = portOf(values.port ?? "7880");
  const path = find("livekit") ?? await buildLivekitServer(console.log);
  if (values.install) console.log(path);
  else await serve(path, port, values.redis);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** Reads the TCP port. Media use the UDP port two above. */
function portOf(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    throw new RangeError(`Cannot start the LiveKit server as its port must be an integer from 1 to 65533: port is "${text}"`);
  }
  return port;
}

async function serve(path, port, redis) {
  const udpPort = port + 2;
  if (!await isFreeTcp(port)) throw new Error(`Cannot start the LiveKit server as its port must be free: TCP port is ${port}`);
  if (!await isFreeUdp(udpPort)) {
    throw new Error(`Cannot start the LiveKit server as its port must be free: UDP port is ${udpPort}`);
  }
  const config = livekitConfig({ port, udpPort, redis });
  let stopped = false;
  let stop = () => process.exit(0); // the guard kills the server
  const onSignal = () => {
    stopped = true;
    stop();
  };
  // The handlers stay until the process has ended: npm may pass on a signal late, and without a handler it would kill this process.
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const server = await startLivekitServer(path, config, port, { output: "inherit" });
  stop = () => void server.kill();
  console.log(
    `\nA LiveKit server runs, for this machine only, until Ctrl-C: ${path}\n` +
      `  export LIVEKIT_URL=${config.url}\n  export LIVEKIT_API_KEY=${config.key}\n  export LIVEKIT_API_SECRET=${config.secret}\n`,
  );
  const { code, signal } = await server.ended;
  if (!stopped) throw new Error(`The LiveKit server ended by itself: code is ${code}, signal is ${signal}`);
  console.log("The LiveKit server has ended");
}
