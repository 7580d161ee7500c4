// Redis without persistence, for LiveKit servers that share rooms.
import { connect } from "node:net";
import { startGuarded, untilReady } from "./guarded.js";

/** Starts a Redis, which ends with this process. Resolves when Redis answers. */
export async function startRedisServer(path, port) {
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
  const server = startGuarded([path, ...options]);
  await untilReady(server, "Redis", () => answers(port));
  return server;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("data", (data) => end(data.toString().startsWith("+PONG")));
    socket.once("connect", () => socket.write("PING\r\n"));
  });
}
