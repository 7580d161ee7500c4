import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import process from "node:process";
import { isRecord } from "../../../protocol/shapes.ts";

/** Part of the SDK's native bindings that is needed. */
interface Bindings {
  readonly FfiHandle: new (...args: never[]) => unknown;
  readonly FfiEvent: {
    fromBinary(bytes: Uint8Array): unknown;
    readonly fields: { list(): readonly { readonly no: number; readonly name: string }[] };
  };
  livekitInitialize(callback: (bytes: Uint8Array) => void, captureLogs: boolean, version: string): void;
}

/** Wire type of a protobuf field with a length. */
const LENGTH_DELIMITED = 2;

/**
 * Has this thread drop what WebRTC logs, before it is decoded. The native part hands over every line of it, a hex dump of each packet among
 * them, some 2,900 for a megabyte; the SDK decodes and drops them, which is most of what they cost. To ask the native part not to hand them
 * over would have it write errors to stderr, such as a data channel's end when a room is left.
 *
 * It is done by another `initialize`, with the same events to the same client, for the whole process; and only if the native part that is
 * found is the very one that made the room's handle; else all stays as it is.
 */
export function dropLogs(handle: object, emit: (event: unknown) => void): boolean {
  const { bindings, version } = findSdk() ?? {};
  if (bindings === undefined || version === undefined || !(handle instanceof bindings.FfiHandle)) return false;
  const logs = bindings.FfiEvent.fields.list().find(({ name }) => name === "logs")?.no;
  if (logs === undefined) return false;
  bindings.livekitInitialize(
    (bytes) => {
      if (!isField(bytes, logs)) emit(bindings.FfiEvent.fromBinary(bytes));
    },
    true,
    version,
  );
  return true;
}

/** Whether a message begins with a field of this number, and so is one of its kind: an event is one of several. */
function isField(bytes: Uint8Array, field: number): boolean {
  const tag = (field << 3) | LENGTH_DELIMITED;
  return tag < 0x80 ? bytes[0] === tag : bytes[0] === ((tag & 0x7f) | 0x80) && bytes[1] === tag >> 7;
}

function findSdk(): { bindings: Bindings; version: string } | undefined {
  const { url } = import.meta as { url?: string }; // a CommonJS bundle has none
  for (const place of [url, pathToFileURL(`${process.cwd()}/`).href]) {
    if (place?.startsWith("file:") !== true) continue;
    try {
      const sdk = createRequire(place).resolve("@livekit/rtc-node");
      const bindings: unknown = createRequire(sdk)("@livekit/rtc-ffi-bindings");
      const { version } = createRequire(sdk)("../package.json") as { version?: unknown };
      if (isBindings(bindings) && typeof version === "string") return { bindings, version };
    } catch {
      // It is not installed where this place looks.
    }
  }
  return undefined;
}

function isBindings(value: unknown): value is Bindings {
  return isRecord(value) && typeof value["FfiHandle"] === "function" && typeof value["livekitInitialize"] === "function" &&
    isEventType(value["FfiEvent"]);
}

function isEventType(value: unknown): boolean {
  const { fromBinary, fields } = value as Partial<Bindings["FfiEvent"]> ?? {};
  return typeof fromBinary === "function" && typeof fields?.list === "function";
}
