// The platform of Node, Bun and Deno: one of the few files of the core that touch their modules. Importing this file installs it.
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { clearInterval, setInterval } from "node:timers";
import { Packr } from "msgpackr/pack"; // not "msgpackr", which reads the environment and loads a native part when it is imported
import { Unpackr } from "msgpackr/unpack";
import { installPlatform, type Platform } from "../platform.ts";

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Platform of Node, Bun and Deno. */
export const nodePlatform: Platform = {
  randomId: () => randomUUID(),
  createSha256: () => createHash("sha256"),
  encodeBase64: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  decodeBase64: (text) => new Uint8Array(Buffer.from(text, "base64")),
  utf8Length: (text) => Buffer.byteLength(text),
  encodeUtf8: (text, into) => encoder.encodeInto(text, into),
  decodeUtf8: (bytes) => decoder.decode(bytes),
  packMsgpack: (value) => new Uint8Array(packr.pack(value)), // pack() returns a view of a pool that msgpackr uses again
  unpackMsgpack: (bytes) => unpackr.unpack(bytes),
  callNextTurn: (call) => setImmediate(call),
  cancelNextTurn: (handle) => clearImmediate(handle as ReturnType<typeof setImmediate>),
  repeat: (call, ms) => {
    const timer = setInterval(call, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  channel: (name) => channel(name),
};

installPlatform(nodePlatform);

/** Whether the program may read a file, or all files, without Deno asking the user. */
export function mayRead(file?: URL): boolean {
  const { Deno: deno } = globalThis as { Deno?: { permissions: { querySync(of: object): { state: string } } } };
  if (deno === undefined) return true;
  try {
    return deno.permissions.querySync({ name: "read", ...(file === undefined ? {} : { path: file }) }).state === "granted";
  } catch {
    return false;
  }
}
