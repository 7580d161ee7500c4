// Packets of chunks that encode themselves into one array. The SDK's encoder makes one for each level of a message.
import { joined } from "../../common/memory.ts";
import type { DataPacket, DataPacketClass } from "./internals.ts";

/** Wire type of protobuf's fields that state their length. */
const LENGTH_DELIMITED = 2;

/** Class of messages, as protobuf-es makes it: with its fields, their numbers, and the classes of their messages. */
interface MessageClass {
  new (fields: object): { toBinary(): Uint8Array };
  readonly fields: {
    list(): readonly { readonly localName: string; readonly no: number; readonly T?: unknown }[];
  };
}

type EncodedPacket = DataPacket & { toBinary(): Uint8Array };

/** Makes the class of packets whose chunks are encoded into one array, with which `encoded` is called. */
export function chunkPacketClass(DataPacket: DataPacketClass, encoded: (packet: Uint8Array) => void): DataPacketClass {
  const found = chunkOf(DataPacket as unknown as Partial<MessageClass>);
  if (found === undefined) return DataPacket;
  const { Chunk, chunkNumber, contentNumber } = found;

  class ChunkPacket extends (DataPacket as new (fields: ConstructorParameters<DataPacketClass>[0]) => EncodedPacket) {
    override toBinary(): Uint8Array {
      const { value } = this;
      if (value.case !== "streamChunk") return super.toBinary(); // the SDK has encrypted it
      this.value = {};
      const envelope = super.toBinary();
      this.value = value;
      const { content, ...rest } = value.value;
      const head = new Chunk(rest).toBinary();
      const contentStart = startOf(contentNumber, content.length);
      const start = startOf(chunkNumber, head.length + contentStart.length + content.length);
      const packet = joined([envelope, start, head, contentStart, content]);
      encoded(packet);
      return packet;
    }
  }
  return ChunkPacket;
}

/** Class of chunks, and the numbers of two fields; undefined if another library made the classes. */
function chunkOf(
  { fields }: Partial<MessageClass>,
): { Chunk: MessageClass; chunkNumber: number; contentNumber: number } | undefined {
  const chunk = fields?.list().find(({ localName }) => localName === "streamChunk");
  const Chunk = chunk?.T as MessageClass | undefined;
  const content = Chunk?.fields?.list().find(({ localName }) => localName === "content");
  if (chunk === undefined || Chunk === undefined || content === undefined) return undefined;
  return { Chunk, chunkNumber: chunk.no, contentNumber: content.no };
}

/** Tag and length of a field. */
function startOf(field: number, length: number): number[] {
  return [...varint(field << 3 | LENGTH_DELIMITED), ...varint(length)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(value >>> 7)];
}
