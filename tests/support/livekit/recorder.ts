// Packets that reach a participant, and requests of this process to the SDK, below the SDK's API.
import { CONTROL_STREAM_ID } from "../../../protocol/constants.ts";
import { type ControlMessage, decodeControl } from "../../../protocol/wire/control.ts";
import type { FfiMessage } from "../../../transports/livekit/sdk/ffi_messages.ts";
import type { Room } from "./rooms.ts";

/** An event of a stream, or a data packet. */
export interface Overheard {
  readonly what: string;
  readonly from: string;
  readonly streamId: string;
  /** The kind of a control packet. */
  readonly control?: ControlMessage["kind"] | undefined;
  /** Topic of a data packet. */
  readonly topic?: string;
}

/** A low-level request to send a packet of a stream. */
export interface Asked {
  readonly what: string;
  readonly streamId: string;
  readonly to: readonly string[];
}

interface FfiClient {
  request: (request: { message: FfiMessage }) => unknown;
  on(event: "ffi_event", listener: (event: { message: FfiMessage }) => void): void;
  off(event: "ffi_event", listener: (event: { message: FfiMessage }) => void): void;
  listenerCount(event: "ffi_event"): number;
}

export function ffiClient(): FfiClient {
  return (globalThis as unknown as { _ffiClientInstance: FfiClient })._ffiClientInstance;
}

/** Records the low-level events of a Room for its whole life. */
export function overhear(room: Room): Overheard[] {
  const overheard: Overheard[] = [];
  const { handle } = (room as unknown as { ffiHandle: { handle: bigint } }).ffiHandle;
  ffiClient().on("ffi_event", ({ message }) => {
    if (message.case !== "roomEvent" || message.value.roomHandle !== handle) return;
    const told = describe(message.value.message);
    if (told !== undefined) overheard.push(told);
  });
  return overheard;
}

/** Runs `action`. Gives all requests of this process to send a packet of a stream meanwhile. */
export async function asked(action: () => Promise<void>): Promise<Asked[]> {
  const client = ffiClient();
  const { request } = client;
  const requests: Asked[] = [];
  client.request = (asking) => {
    const { case: name, value } = asking.message;
    if (name?.startsWith("sendStream") === true) {
      const { streamId } = value.header ?? value.chunk ?? value.trailer;
      requests.push({ what: name, streamId, to: [...value.destinationIdentities] });
    }
    return request.call(client, asking);
  };
  try {
    await action();
  } finally {
    client.request = request;
  }
  return requests;
}

function describe({ case: name = "", value }: FfiMessage): Overheard | undefined {
  const from: string = value?.participantIdentity ?? "";
  switch (name) {
    case "streamHeaderReceived":
      return { what: name, from, streamId: value.header.streamId };
    case "streamChunkReceived": {
      const { streamId, content } = value.chunk;
      if (streamId !== CONTROL_STREAM_ID) return { what: name, from, streamId };
      return { what: name, from, streamId, control: decodeControl(new Uint8Array(content))?.kind };
    }
    case "streamTrailerReceived":
      return { what: name, from, streamId: value.trailer.streamId };
    case "textStreamOpened":
    case "byteStreamOpened":
      return { what: name, from, streamId: value.reader.info.streamId };
    case "dataPacketReceived":
      return { what: name, from, streamId: "", topic: value.value.value.topic ?? "" };
    default:
      return undefined;
  }
}
