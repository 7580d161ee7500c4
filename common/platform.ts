// Needs of the core that its platform fills. Each entry of the package installs one, so that the core imports no module of Node or of a page.

/** Running sha256. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown;
  /** Ends the hash; callable once. */
  digest(): Uint8Array;
}

/** Handle of a call in the next turn of the event loop. */
export type NextTurn = unknown;

/** Channel of Node's `diagnostics_channel`. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
  /** Publishes a message, and calls a function in the asynchronous context of the stores that are bound to the channel. Deno may lack it. */
  runStores?<T>(message: object, call: () => T): T;
}

/** Functions of a platform: `platforms/node.ts` for Node, Bun and Deno, `platforms/browser.ts` for web pages. */
export interface Platform {
  /** Makes an id that nobody can guess: a random UUID. */
  randomId(): string;
  /** Starts a sha256 that is computed on this thread. */
  createSha256(): Sha256;
  /** Encodes bytes as base64, padded. */
  encodeBase64(bytes: Uint8Array): string;
  /** Decodes base64. Accepts other alphabets, missing padding and any other text. */
  decodeBase64(text: string): Uint8Array;
  /** Size of a text as UTF-8, in bytes; a lone surrogate counts as U+FFFD. */
  utf8Length(text: string): number;
  /** Encodes a text to memory, shared or not, as far as it has room: `read` UTF-16 units became `written` bytes. */
  encodeUtf8(text: string, into: Uint8Array): { read: number; written: number };
  /** Decodes UTF-8 from memory, shared or not. Invalid bytes become U+FFFD; a byte order mark stays. */
  decodeUtf8(bytes: Uint8Array): string;
  /** Encodes plain data as msgpack, to an array of the caller's own. */
  packMsgpack(value: unknown): Uint8Array;
  /** Decodes msgpack that was validated. */
  unpackMsgpack(bytes: Uint8Array): unknown;
  /** Calls a function in the next turn of the event loop, after due timers and I/O. */
  callNextTurn(call: () => void): NextTurn;
  /** Cancels a call of {@linkcode Platform.callNextTurn}. */
  cancelNextTurn(handle: NextTurn): void;
  /** Calls a function every `ms` milliseconds, without keeping the process alive; returns the call that stops the timer. */
  repeat(call: () => void, ms: number): () => void;
  /** Channel of a name for tools that watch the process; absent in a web page. */
  channel?(name: string): DiagnosticsChannel;
}

let installed: Platform | undefined;

/** Installs the platform. An entry calls this as it is loaded; a later call replaces the platform. */
export function installPlatform(platform: Platform): void {
  installed = platform;
}

/** The installed platform. Throws if a module of the package was imported without one of its entries. */
export function platform(): Platform {
  if (installed === undefined) {
    throw new Error('Cannot work without a platform: import "millrace", which installs one, before other modules of the package');
  }
  return installed;
}

/** Makes an id that nobody can guess: a random UUID. */
export function randomId(): string {
  return platform().randomId();
}

/** True if both arrays have the same bytes. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** Calls a function in the next turn of the event loop, after due timers and I/O. */
export function callNextTurn(call: () => void): NextTurn {
  return platform().callNextTurn(call);
}

/** Cancels a call of {@linkcode callNextTurn}. */
export function cancelNextTurn(handle: NextTurn): void {
  platform().cancelNextTurn(handle);
}
