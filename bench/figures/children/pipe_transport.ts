// A transport between two processes over a pair of pipes: four bytes of length, then the packet in msgpack.
import { Buffer } from "node:buffer";
import type { Readable, Writable } from "node:stream";
import { pack, unpack } from "msgpackr";
import { type Packet, StreamError, type Transport, type TransportEvents } from "../../../mod.ts";

export function pipeTransport(identity: string, other: string, from: Readable, to: Writable): Transport {
  let events: TransportEvents | undefined;
  let waiting: Uint8Array<ArrayBufferLike>[] = [];
  let bytes = 0;
  from.on("data", (part: Uint8Array) => {
    waiting.push(part);
    bytes += part.length;
    if (bytes < 4) return;
    let all = waiting.length === 1 ? part : Buffer.concat(waiting);
    for (;;) {
      const length = all.length < 4 ? Infinity : new DataView(all.buffer, all.byteOffset).getUint32(0);
      if (all.length < 4 + length) break;
      events?.packet(unpack(all.subarray(4, 4 + length)) as Packet, other);
      all = all.subarray(4 + length);
    }
    waiting = all.length === 0 ? [] : [all];
    bytes = all.length;
  });
  from.once("end", () => events?.left(other));
  return {
    identity,
    largestChunk: 60_000,
    participants: () => [other],
    open: (given) => void (events = given),
    async send(packet) {
      if (!to.writable) throw new StreamError("disconnected", "Cannot send as the pipe has ended");
      const body = pack(packet);
      const head = new Uint8Array(4);
      new DataView(head.buffer).setUint32(0, body.length);
      to.write(head);
      if (!to.write(body)) await new Promise<void>((resolve) => void to.once("drain", resolve));
    },
    close: () => Promise.resolve(),
  };
}
