// Ports on 127.0.0.1 that nobody uses.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/**
 * Below the range from which systems take the ports of outgoing connections (Linux: 32768 and up): so a server that is started again
 * finds its port free, and no client that calls it meanwhile is connected with itself.
 */
const FIRST = 12_000;
const LAST = 32_000;

/** A port free for TCP and UDP at this moment; another process may take it in the next. */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) return port;
  }
}

export async function isFree(port) {
  return await isFreeTcp(port) && await isFreeUdp(port);
}

export function isFreeTcp(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}

export function isFreeUdp(port) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => socket.close(() => resolve(false)));
    socket.bind({ port, address: "127.0.0.1" }, () => socket.close(() => resolve(true)));
  });
}
