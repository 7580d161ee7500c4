import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import process from "node:process";
import { isRecord } from "../../../common/shapes.ts";

/** Members of the SDK's native bindings that are used. */
interface Bindings {
  readonly FfiHandle: new (...args: never[]) => unknown;
  readonly FfiEvent: {
    fromBinary(bytes: Uint8Array): unknown;
    readonly fields: { list(): readonly { readonly no: number; readonly name: string }[] };
  };
  livekitInitialize(callback: (bytes: Uint8Array) => void, captureLogs: boolean, version: string): void;
}

/** Protobuf wire type of a field with a length. */
const LENGTH_DELIMITED = 2;

/**
 * Drops WebRTC's log lines on this thread before they are decoded; returns whether that was possible. The native part forwards each line,
 * hex dumps of packets included: some 2,900 lines for a megabyte. The SDK would decode and drop them, which is most of their cost. With
 * forwarding turned off, the native part would write errors to stderr, such as the end of a data channel when a room is left.
 *
 * A second `initialize` sends the same events to the same client, for the whole process. Nothing changes unless the native part that is
 * found made the room's handle.
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

/** Whether a message begins with a field of this number. An event has one field, which is its kind. */
function isField(bytes: Uint8Array, field: number): boolean {
  const tag = (field << 3) | LENGTH_DELIMITED;
  return tag < 0x80 ? bytes[0] === tag : bytes[0] === ((tag & 0x7f) | 0x80) && bytes[1] === tag >> 7;
}

function findSdk(): { bindings: Bindings; version: string } | undefined {
  const { url } = import.meta as { url?: string }; // undefined in a CommonJS bundle
  for (const base of [url, pathToFileURL(`${process.cwd()}/`).href]) {
    if (base?.startsWith("file:") !== true) continue;
    try {
      const sdk = createRequire(base).resolve("@livekit/rtc-node");
      const bindings: unknown = createRequire(sdk)("@livekit/rtc-ffi-bindings");
      const { version } = createRequire(sdk)("../package.json") as { version?: unknown };
      if (isBindings(bindings) && typeof version === "string") return { bindings, version };
    } catch {
      // The SDK is not installed there.
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
