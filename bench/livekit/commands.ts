// Commands to participants, by their names, for the participants in TypeScript and in Python.

export interface Listening {
  readonly kind: "text" | "bytes";
  readonly topic: string;
  /** Whether streams are read to the end, saved at a path, or not read. */
  readonly how: "read" | "save" | "hold";
  readonly path?: string;
}

export interface SendCommand {
  /** Name of the SDK's call; only Millrace has `sendBytes`. */
  readonly how: "streamBytes" | "sendBytes" | "sendFile";
  readonly topic: string;
  readonly to: readonly string[];
  /** Total of all streams. */
  readonly bytes: number;
  /** Bytes of a write, where there are writes. */
  readonly write?: number;
  /** Path of a file of `bytes` bytes. Other calls than sendFile send its contents, and random bytes without a file. */
  readonly path?: string;
  /** Number of concurrent streams, which share the bytes. Default: 1. */
  readonly streams?: number;
}

export interface TextCommand {
  readonly topic: string;
  /** Default: everybody. */
  readonly to?: readonly string[];
}

/** Data that is offered to a reader until the reader or the measurement stops. */
export interface OfferCommand {
  readonly topic: string;
  readonly to: readonly string[];
  readonly bytes: number;
}

export interface HoldCommand extends OfferCommand {
  /** Bytes of a write. */
  readonly write: number;
  /** Duration of the measurement, in ms. */
  readonly ms: number;
}

/** Small messages and calls to one participant during another transfer. */
export interface BackgroundCommand {
  readonly to: string;
  /** Milliseconds from one message to the next, and from one call. */
  readonly messageMs: number;
  readonly callMs: number;
}

/** Background traffic that was sent, by the sender's clock. */
export interface BackgroundTraffic {
  /** Times at which the messages were sent, by number. */
  readonly messages: readonly number[];
  readonly calls: readonly Call[];
}

export interface Call {
  readonly began: number;
  /** Time of the answer or failure; undefined before. */
  readonly at?: number;
  readonly error?: string;
}

/** Number and time of each message that has arrived. */
export type Heard = readonly (readonly [number, number])[];
