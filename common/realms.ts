// Checks of a value's kind that hold in any realm: jest's tests, `vm` contexts and Electron's windows have classes of
// their own, for which `instanceof` is false.

/** Bytes in memory: an ArrayBuffer view of any kind, or an ArrayBuffer. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

const typedArrayTag = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);
const bufferLength = getterOf(ArrayBuffer.prototype, "byteLength");
const sharedLength = typeof SharedArrayBuffer === "undefined" ? undefined : getterOf(SharedArrayBuffer.prototype, "byteLength");

/** True for a `Uint8Array`, be it a `Buffer`. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayTag(value) === "Uint8Array";
}

/** The bytes of a value, not copied; undefined if the value holds none, or its memory was transferred. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return isMemory(value) ? new Uint8Array(value) : undefined;
  } catch {
    return undefined; // transferred, or shrunk under a view
  }
}

/** True for a `Blob`, also one of a library that stands in for the engine's. */
export function isBlob(value: unknown): value is Blob {
  return isTagged(value, "Blob", "File") && hasMethods(value, "arrayBuffer", "slice") &&
    typeof (value as { size?: unknown }).size === "number";
}

/** True for a `File`: a `Blob` with a name. Bun's own say of themselves that they are Blobs. */
export function isFile(value: unknown): value is File {
  return isBlob(value) && (value instanceof File || isTagged(value, "File")) &&
    typeof (value as { name?: unknown }).name === "string";
}

/** True for a web stream that can be read. */
export function isReadableStream(value: unknown): value is ReadableStream<unknown> {
  return hasMethods(value, "getReader", "cancel") && typeof (value as { locked?: unknown }).locked === "boolean";
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return hasMethods(value, Symbol.asyncIterator);
}

/** True for an object that can be iterated: a string is none. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return hasMethods(value, Symbol.iterator);
}

export function isUrl(value: unknown): value is URL {
  return isTagged(value, "URL") && typeof (value as { href?: unknown }).href === "string";
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  return hasMethods(value, "addEventListener", "removeEventListener") &&
    typeof (value as { aborted?: unknown }).aborted === "boolean";
}

export function isError(value: unknown): value is Error {
  return value instanceof Error || isTagged(value, "Error", "DOMException");
}

/** True for a promise, or what `await` takes for one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return hasMethods(value, "then") || (typeof value === "function" && typeof (value as { then?: unknown }).then === "function");
}

export function isMap(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map || isTagged(value, "Map");
}

/** Getters of the engine's own classes tell their kind in every realm, and throw for others. */
function isMemory(value: unknown): value is ArrayBuffer {
  return [bufferLength, sharedLength].some((getter) => {
    try {
      return getter !== undefined && getter(value) !== undefined;
    } catch {
      return false;
    }
  });
}

function getterOf(prototype: object, name: PropertyKey): (value: unknown) => unknown {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  return (value) => descriptor?.get?.call(value) as unknown;
}

function isTagged(value: unknown, ...names: readonly string[]): boolean {
  return typeof value === "object" && value !== null && names.includes(Object.prototype.toString.call(value).slice(8, -1));
}

function hasMethods(value: unknown, ...names: readonly PropertyKey[]): value is object {
  return typeof value === "object" && value !== null &&
    names.every((name) => typeof (value as Record<PropertyKey, unknown>)[name] === "function");
}
