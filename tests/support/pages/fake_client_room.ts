// A fake of livekit-client's Room and its engine, with the members that the transport of pages uses.
import { EventEmitter } from "node:events";
import type { FfiMessage } from "../../../transports/livekit/sdk/ffi_messages.ts";
import type { ClientReader, DataPacket } from "../../../transports/livekit_client/internals.ts";

/** Packet of the fake, as the SDK's class makes it. */
export class FakePacket implements DataPacket {
  value: FfiMessage;
  readonly participantIdentity: string;
  readonly destinationIdentities: readonly string[];

  constructor(fields: { value: FfiMessage; participantIdentity?: string; destinationIdentities?: readonly string[] }) {
    this.value = fields.value;
    this.participantIdentity = fields.participantIdentity ?? "";
    this.destinationIdentities = fields.destinationIdentities ?? [];
  }
}

/** A data channel, open and empty. */
export class FakeChannel extends EventTarget {
  readyState = "open";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 65_536;

  drain(): void {
    this.bufferedAmount = 0;
    this.dispatchEvent(new Event("bufferedamountlow"));
  }
}

class FakeEngine extends EventEmitter {
  readonly sent: FakePacket[] = [];
  readonly channel = new FakeChannel();
  failure: Error | undefined;

  sendDataPacket(packet: FakePacket, kind: number): Promise<void> {
    if (kind !== 0 || this.failure !== undefined) return Promise.reject(this.failure ?? new Error("the kind is not reliable"));
    this.sent.push(packet);
    return Promise.resolve();
  }

  dataChannelForKind(): FakeChannel {
    return this.channel;
  }
}

type FakeHandler = (reader: ClientReader, sender: { identity: string }) => void;

/** Streams that the SDK reads: it looks for a handler when the header comes. */
class FakeManager {
  readonly textStreamHandlers = new Map<string, FakeHandler>();
  readonly byteStreamHandlers = new Map<string, FakeHandler>();
  /** Readers for the next streams. */
  readonly readers: ClientReader[] = [];

  handleStreamHeader(header: { topic: string; contentHeader: FfiMessage }, identity: string): void {
    const isText = header.contentHeader.case === "textHeader";
    const reader = this.readers.shift();
    const handler = (isText ? this.textStreamHandlers : this.byteStreamHandlers).get(header.topic);
    if (reader !== undefined) handler?.(reader, { identity });
  }
}

/** Alice's Room, with Bob. */
export class FakeClientRoom extends EventEmitter {
  readonly name = "room";
  state = "connected";
  engine: FakeEngine | undefined = new FakeEngine();
  readonly incomingDataStreamManager = new FakeManager();
  readonly remoteParticipants = new Map([["bob", { identity: "bob", sid: "PA_bob" }]]);
  readonly localParticipant = {
    identity: "alice",
    sid: "PA_alice",
    engine: this.engine,
    permissions: { canPublishData: true },
    /** Answer of the next call: an error's code, or none. */
    code: undefined as number | undefined,
    async publishDtmf(code: number, digit: string): Promise<void> {
      await this.engine?.sendDataPacket(new FakePacket({ value: { case: "sipDtmf", value: { code, digit } } }), 0);
    },
    performRpc(): Promise<string> {
      const { code } = this;
      return code === undefined ? Promise.resolve("") : Promise.reject(Object.assign(new Error("no answer"), { code }));
    },
  };

  /** Lets a packet come. Returns it as the Room gets it, after the transport. */
  receive(value: FfiMessage, from: string = "bob"): FakePacket {
    const packet = new FakePacket({ value, participantIdentity: from });
    this.engine?.emit("dataPacketReceived", packet, 0);
    return packet;
  }
}
