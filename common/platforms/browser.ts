// The platform of web pages and their workers. Importing this file installs it.
import { sha256 } from "@noble/hashes/sha2";
import { isShared, unshared } from "../memory.ts";
import { packMsgpack, unpackMsgpack } from "./browser_msgpack.ts";
import { installPlatform, type NextTurn, type Platform } from "../platform.ts";

/** Bytes of one call of `String.fromCharCode`: engines bound the number of arguments. */
const BASE64_STEP = 8_192;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Calls of the next turns, in order; a cancelled one stays as undefined. */
interface Turn {
  call: (() => void) | undefined;
}

const turns: Turn[] = [];

let port: MessagePort | undefined;

/**
 * Calls a function by a message, which is a task of its own: the page's timers and input get their turn between two. `scheduler.yield` goes
 * before timers, and `setTimeout` waits for 4 ms.
 */
function callNextTurn(call: () => void): NextTurn {
  const turn: Turn = { call };
  turns.push(turn);
  port ??= openPort();
  port.postMessage(undefined);
  return turn;
}

function openPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => turns.shift()?.call?.();
  // Firefox drops a message on its way when the page goes to the back/forward cache. One message too many calls nothing.
  globalThis.addEventListener?.("pageshow", () => {
    for (const _turn of turns) port2.postMessage(undefined);
  });
  return port2;
}

/** Platform of web pages and their workers. */
export const browserPlatform: Platform = {
  randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs a secure context
    bytes[6] = (bytes[6] ?? 0) & 0x0f | 0x40;
    bytes[8] = (bytes[8] ?? 0) & 0x3f | 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
  createSha256: () => sha256.create(),
  encodeBase64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += BASE64_STEP) {
      text += String.fromCharCode(...bytes.subarray(at, at + BASE64_STEP));
    }
    return btoa(text);
  },
  decodeBase64(text) {
    const [kept = ""] = text.split("=");
    const digits = kept.replaceAll("-", "+").replaceAll("_", "/").replace(/[^A-Za-z0-9+/]/g, "");
    const whole = digits.length % 4 === 1 ? digits.slice(0, -1) : digits; // a single last digit is no byte
    return Uint8Array.from(atob(whole), (character) => character.charCodeAt(0));
  },
  utf8Length: (text) => encoder.encode(text).length,
  encodeUtf8(text, into) {
    if (!isShared(into)) return encoder.encodeInto(text, into);
    const scratch = new Uint8Array(into.length); // browsers do not encode into shared memory
    const done = encoder.encodeInto(text, scratch);
    into.set(scratch.subarray(0, done.written));
    return done;
  },
  decodeUtf8: (bytes) => decoder.decode(unshared(bytes)),
  packMsgpack,
  unpackMsgpack,
  callNextTurn,
  cancelNextTurn(handle) {
    (handle as Turn).call = undefined;
  },
  repeat(call, ms) {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  },
};

installPlatform(browserPlatform);
