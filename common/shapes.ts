// Checks of values from outside, by hand.

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A count of bytes, a sequence number, a number of milliseconds. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

export function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}

/** The member that a path of names leads to; undefined where a value on the way is no object. */
export function memberAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    found = (typeof found === "object" && found !== null) ? (found as Record<string, unknown>)[name] : undefined;
  }
  return found;
}

/** UTF-16 units of an instance at most. */
const INSTANCE_LENGTH = 64;

/** Whether a value from the wire names a life of a runtime. */
export function isInstance(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= INSTANCE_LENGTH;
}
