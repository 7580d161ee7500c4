// What participants are told, by the names of their commands: for those in TypeScript and the one in Python.

export interface Listening {
  readonly kind: "text" | "bytes";
  readonly topic: string;
  /** Read to its end, saved at a path, or not read at all. */
  readonly how: "read" | "save" | "hold";
  readonly path?: string;
}

export interface SendOrder {
  /** As the SDK names it; `sendBytes` is Millrace's alone. */
  readonly how: "streamBytes" | "sendBytes" | "sendFile";
  readonly topic: string;
  readonly to: readonly string[];
  /** All in all. */
  readonly bytes: number;
  /** Bytes of a write, where there are writes. */
  readonly write?: number;
  /** The file of so many bytes, where one is sent; by another API its contents are, and random bytes where there is no file. */
  readonly path?: string;
  /** Streams at once, which share the bytes: 1 if not given. */
  readonly streams?: number;
}

export interface TextOrder {
  readonly topic: string;
  /** Everybody if not given. */
  readonly to?: readonly string[];
}

/** Data that is offered to a reader, for as long as the reader or the measurement takes it. */
export interface OfferOrder {
  readonly topic: string;
  readonly to: readonly string[];
  readonly bytes: number;
}

export interface HoldOrder extends OfferOrder {
  /** Bytes of a write. */
  readonly write: number;
  /** How long to look. */
  readonly ms: number;
}

/** Small messages and calls that go to one participant for as long as something else does. */
export interface BesideOrder {
  readonly to: string;
  /** Milliseconds from one message to the next, and from one call. */
  readonly messageMs: number;
  readonly callMs: number;
}

/** What went beside, by the sender's clock. */
export interface Beside {
  /** When each message was sent, by its number. */
  readonly messages: readonly number[];
  readonly calls: readonly Call[];
}

export interface Call {
  readonly began: number;
  /** When its answer came, or it failed; undefined if neither has happened yet. */
  readonly at?: number;
  readonly error?: string;
}

/** The number of each message that has come, and when. */
export type Heard = readonly (readonly [number, number])[];
