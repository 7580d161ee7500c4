// A line between LiveKit clients and a server, made on one machine: what arrives at `from` goes on to `to` and back, each direction of each
// client with a delay, a rate with a queue that drops what does not fit, and losses by a seed. UDP on loopback addresses only.
import { createSocket } from "node:dgram";

/** Options of a line, with their defaults: ms one way, megabytes a second (0: no limit), ms of queue at that rate, a probability. */
export const LINE = { delay: 0, rate: 0, queue: 500, loss: 0, seed: 1 };

/** Starts a relay between two `host:port`. Resolves when it listens; rejects if it cannot. */
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
    clients.get(name).onward.carry(packet);
  });
  await new Promise((resolve, reject) => {
    front.once("error", (cause) => reject(new Error(`Cannot relay as the address cannot be listened on: "${from}"`, { cause })));
    front.bind(near.port, near.host, resolve);
  });
  front.on("error", () => {}); // a client that is gone answers so
  return { counts, line, close };

  function client(host, port) {
    const socket = createSocket("udp4");
    socket.on("error", () => {});
    socket.bind(0, far.host);
    const back = new Direction(line, counts, random, (packet) => front.send(packet, port, host));
    socket.on("message", (packet) => back.carry(packet));
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

/** One way of one client. Packets never overtake each other. */
class Direction {
  #line;
  #counts;
  #random;
  #deliver;
  /** [when it arrives, packet], in order. */
  #flying = [];
  /** When all that was taken has left. */
  #free = 0;
  #timer;

  constructor(line, counts, random, deliver) {
    this.#line = line;
    this.#counts = counts;
    this.#random = random;
    this.#deliver = deliver;
  }

  carry(packet) {
    const { delay, rate, queue, loss } = this.#line;
    this.#counts.packets++;
    if (loss > 0 && this.#random() < loss) {
      this.#counts.lost++;
      return;
    }
    const now = performance.now();
    this.#free = Math.max(this.#free, now);
    if (rate > 0) {
      if (this.#free - now > queue) {
        this.#counts.overflowed++;
        return;
      }
      this.#free += packet.length / (1_000 * rate);
    }
    this.#flying.push([this.#free + delay, packet]);
    this.#arm();
  }

  close() {
    clearTimeout(this.#timer);
    this.#flying = [];
  }

  #arm() {
    if (this.#timer !== undefined || this.#flying.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      while (this.#flying.length > 0 && this.#flying[0][0] <= performance.now()) this.#deliver(this.#flying.shift()[1]);
      this.#arm();
    }, Math.max(1, this.#flying[0][0] - performance.now()));
  }
}

function address(text) {
  const [host, port] = text.split(":");
  if (!/^127\.\d+\.\d+\.\d+$/.test(host) || !(Number(port) > 0)) {
    throw new Error(`Cannot relay as an address must be one of loopback with a port, such as "127.0.0.2:7882": "${text}"`);
  }
  return { host, port: Number(port) };
}

/** Numbers from 0 to 1, the same for the same seed: a linear congruential generator, of whose state the upper bits are taken. */
function randomNumbers(seed) {
  let state = BigInt(seed) & 0xffffffffffffffffn;
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 40n) / 2 ** 24;
  };
}
