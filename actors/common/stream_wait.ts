/** Wait that flow control causes at a sender. */
export type FlowWait =
  /** For a receiver to say whether it has a handler. */
  | "claim"
  /** For a receiver whose reader takes too little. */
  | "credit"
  /** For the line: as many bytes are in flight as it takes. */
  | "congestion";

/** Cause for which an open stream waits. */
export type StreamWait =
  | FlowWait
  /** At a sender: for receivers that have not come, have not introduced themselves, or take no more streams. */
  | "receivers"
  /** For the program to write more. */
  | "data"
  /** For a worker thread, or for a file. */
  | "codec"
  /** For the transport to take a packet. */
  | "transport"
  /** For the receipts. */
  | "receipt"
  /** At a receiver: for a handler of its topic. */
  | "handler"
  /** For the sender to send more. */
  | "sender"
  /** For a packet that is missing before those that came. */
  | "chunk"
  /** For the program to read what is here. */
  | "reader";
