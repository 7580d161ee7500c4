import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import process from "node:process";
import { isRecord } from "../protocol/shapes.ts";

/** What is needed of the SDK's native part. */
interface Bindings {
  readonly FfiHandle: new (...args: never[]) => unknown;
  readonly FfiEvent: { fromBinary(bytes: Uint8Array): unknown };
  livekitInitialize(callback: (bytes: Uint8Array) => void, captureLogs: boolean, version: string): void;
}

/**
 * Has the SDK's native part keep to itself what WebRTC logs. It hands this thread every line of it, a hex dump of each packet among them,
 * some 2,900 for a megabyte; the SDK decodes them and drops them, which is a fifth of all that a transfer costs. It cannot be told so but by
 * another `initialize`, with the same events to the same client; this is for the whole process, and takes effect once a room is connected.
 *
 * Done only if the native part that is found is the very one that made the room's handle; else all stays as it is.
 */
export function keepLogsNative(handle: object, emit: (event: unknown) => void): boolean {
  const { bindings, version } = findSdk() ?? {};
  if (bindings === undefined || version === undefined || !(handle instanceof bindings.FfiHandle)) return false;
  bindings.livekitInitialize((bytes) => emit(bindings.FfiEvent.fromBinary(bytes)), false, version);
  return true;
}

function findSdk(): { bindings: Bindings; version: string } | undefined {
  const places = [import.meta.url, pathToFileURL(`${process.cwd()}/`).href].filter((place) => place.startsWith("file:"));
  for (const place of places) {
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
    typeof (value["FfiEvent"] as Partial<Bindings["FfiEvent"]> | undefined)?.fromBinary === "function";
}
