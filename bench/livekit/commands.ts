// Commands to participants, by their names, for the participants in TypeScript and in Python.

export interface Listening {
  readonly kind: "text" | "bytes";
  readonly topic: string;
  /** Read to its end, saved at a path, or not read at all. */
  readonly how: "read" | "save" | "hold";
  readonly path?: string;
}

export interface SendCommand {
  /** As the SDK names it; `sendBytes` is Millrace's alone. */
  readonly how: "streamBytes" | "sendBytes" | "sendFile";
  readonly topic: string;
  readonly to: readonly string[];
  /** All in all. */
  readonly bytes: number;
  /** Bytes of a write, where there are writes. */
  readonly write?: number;
  /** Path of a file of `bytes` bytes. Other calls than sendFile send its contents, and random bytes without a file. */
  readonly path?: string;
  /** Streams at once, which share the bytes: 1 if not given. */
  readonly streams?: number;
}

export interface TextCommand {
  readonly topic: string;
  /** Everybody if not given. */
  readonly to?: readonly string[];
}

/** Data that is offered to a reader, for as long as the reader or the measurement takes it. */
export interface OfferCommand {
  readonly topic: string;
  readonly to: readonly string[];
  readonly bytes: number;
}

export interface HoldCommand extends OfferCommand {
  /** Bytes of a write. */
  readonly write: number;
  /** How long to look. */
  readonly ms: number;
}

/** Small messages and calls that go to one participant for as long as something else does. */
export interface BackgroundCommand {
  readonly to: string;
  /** Milliseconds from one message to the next, and from one call. */
  readonly messageMs: number;
  readonly callMs: number;
}

/** Background traffic that was sent, by the sender's clock. */
export interface BackgroundTraffic {
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
