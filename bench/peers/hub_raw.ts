// Packets a second from one participant of a hub to another, awaited one after the other, and by broadcast to 200.
//
// Run:  node dist/bench/peers/hub_raw.js    bun bench/peers/hub_raw.ts    deno run -A bench/peers/hub_raw.ts    (an argument: seconds of each, default 1)
// The receiver copies each chunk, as the contract of Transport asks of a receiver that keeps chunks.
// `hold` is the largest delay of a 5 ms interval. On a busy machine the machine causes it, not the hub.
import process from "node:process";
import type { Packet } from "../../protocol/wire/packets.ts";
import { createHub } from "../../transports/hub/hub.ts";
import type { Transport } from "../../transports/transport.ts";

const seconds = Number(process.argv[2] ?? 1);

/** Sends until the time is up. Returns packets delivered a second, and the longest hold of the event loop in ms. */
async function measure(receivers: number, content: number, inFlight: number): Promise<{ rate: number; hold: number }> {
  const hub = createHub();
  const sender = hub.join("sender");
  const transports: Transport[] = [sender];
  let delivered = 0;
  const kept = new Uint8Array(content);
  for (let index = 0; index < receivers; index++) {
    const transport = hub.join(`receiver ${index}`);
    transports.push(transport);
    transport.open({
      packet(packet: Packet) {
        if (packet.type === "chunk") kept.set(packet.content);
        delivered++;
      },
      joined() {},
      left() {},
      closed() {},
    });
  }
  const destinations = receivers === 1 ? ["receiver 0"] : undefined;
  const bytes = new Uint8Array(content);
  let hold = 0;
  let last = performance.now();
  const probe = setInterval(() => {
    const now = performance.now();
    hold = Math.max(hold, now - last - 5);
    last = now;
  }, 5);
  const began = performance.now();
  const until = began + seconds * 1000;
  async function send(): Promise<void> {
    for (let index = 0; performance.now() < until; index++) {
      await sender.send({ type: "chunk", streamId: "a stream", index, content: bytes }, destinations);
    }
  }
  await Promise.all(Array.from({ length: inFlight }, send));
  const rate = delivered / ((performance.now() - began) / 1000);
  clearInterval(probe);
  for (const transport of transports) await transport.close();
  return { rate, hold };
}

for (
  const [name, receivers, content, inFlight] of [
    ["tiny, one at a time", 1, 10, 1],
    ["tiny, 16 senders", 1, 10, 16],
    ["15 kB, one at a time", 1, 15_000, 1],
    ["15 kB, 16 senders", 1, 15_000, 16],
    ["tiny, broadcast to 200", 200, 10, 1],
  ] as const
) {
  const { rate, hold } = await measure(receivers, content, inFlight);
  const megabytes = content > 10 ? `, ${Math.round(rate * content / 1e6)} MB/s` : "";
  console.log(`${name}: ${Math.round(rate)} packets/s${megabytes}, hold ${hold.toFixed(1)} ms`);
}
