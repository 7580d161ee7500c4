// Relay of UDP packets between LiveKit clients and a server on loopback addresses. Packets to `from` are sent on to `to`, and back. Each
// direction of each client has a delay, a rate with a bounded queue, and losses by a seed.
import { createSocket } from "node:dgram";

/** Options of a line with their defaults: one-way delay in ms, rate in MB/s (0: no limit), queue in ms, probability of loss, seed. */
export const LINE = { delay: 0, rate: 0, queue: 500, loss: 0, seed: 1 };

/** Starts a relay between two `host:port`. Resolves when it listens; rejects if the address cannot be used. */
export async function startRelay({ from, to, ...options }) {
  const line = { ...LINE, ...options };
  const [near, far] = [address(from), address(to)];
  const counts = { packets: 0, lost: 0, overflowed: 0 };
  const random = randomNumbers(line.seed);
  const clients = new Map();
  const front = createSocket("udp4");
  front.on("message", (packet, { address: host, port }) => {
    const name = `${host}:${port}`;
    if (!clients.has(name)) clients.set(name, client(host, port));
    clients.get(name).onward.send(packet);
  });
  await new Promise((resolve, reject) => {
    front.once(
      "error",
      (cause) => reject(new Error(`Cannot relay as the address must be free to listen on: "${from}"`, { cause })),
    );
    front.bind(near.port, near.host, resolve);
  });
  front.on("error", () => {}); // a client that has ended causes errors
  return { counts, line, close };

  function client(host, port) {
    const socket = createSocket("udp4");
    socket.on("error", () => {});
    socket.bind(0, far.host);
    const back = new Direction(line, counts, random, (packet) => front.send(packet, port, host));
    socket.on("message", (packet) => back.send(packet));
    const onward = new Direction(line, counts, random, (packet) => socket.send(packet, far.port, far.host));
    return { socket, onward, back };
  }

  async function close() {
    for (const { socket, onward, back } of clients.values()) {
      onward.close();
      back.close();
      socket.close();
    }
    clients.clear();
    await new Promise((resolve) => front.close(resolve));
  }
}

/** One direction of one client. Packets keep their order. */
class Direction {
  #line;
  #counts;
  #random;
  #deliver;
  /** Pairs of arrival time and packet, in order. */
  #inFlight = [];
  /** Time when the queue is empty. */
  #freeAt = 0;
  #timer;

  constructor(line, counts, random, deliver) {
    this.#line = line;
    this.#counts = counts;
    this.#random = random;
    this.#deliver = deliver;
  }

  send(packet) {
    const { delay, rate, queue, loss } = this.#line;
    this.#counts.packets++;
    if (loss > 0 && this.#random() < loss) {
      this.#counts.lost++;
      return;
    }
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now);
    if (rate > 0) {
      if (this.#freeAt - now > queue) {
        this.#counts.overflowed++;
        return;
      }
      this.#freeAt += packet.length / (1_000 * rate);
    }
    this.#inFlight.push([this.#freeAt + delay, packet]);
    this.#arm();
  }

  close() {
    clearTimeout(this.#timer);
    this.#inFlight = [];
  }

  #arm() {
    if (this.#timer !== undefined || this.#inFlight.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      while (this.#inFlight.length > 0 && this.#inFlight[0][0] <= performance.now()) this.#deliver(this.#inFlight.shift()[1]);
      this.#arm();
    }, Math.max(1, this.#inFlight[0][0] - performance.now()));
  }
}

function address(text) {
  const [host, port] = text.split(":");
  if (!/^127\.\d+\.\d+\.\d+$/.test(host) || !(Number(port) > 0)) {
    throw new Error(
      `Cannot relay as an address must be a loopback address with a port, such as "127.0.0.2:7882": current value is "${text}"`,
    );
  }
  return { host, port: Number(port) };
}

/** Makes a pseudo-random generator by a seed, uniform from 0 to below 1: the upper bits of a linear congruential generator. */
function randomNumbers(seed) {
  let state = BigInt(seed) & 0xffffffffffffffffn;
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 40n) / 2 ** 24;
  };
}
