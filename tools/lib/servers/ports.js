// Free ports on 127.0.0.1.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/**
 * First port of the range. It is below the ports of outgoing connections (on Linux from 32768). So a restarted server finds its port free, and
 * no client connects to itself.
 */
const FIRST = 12_000;

/** Port after the range. */
const END = 32_000;

/** Finds a port that is free for TCP and UDP; another process may take it at any time. */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (END - FIRST));
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
