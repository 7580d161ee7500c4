import * as assert from "uvu/assert";
import { StreamError } from "../../errors.ts";
import type { StreamErrorCode } from "../../errors.ts";

/** Error that an action throws or rejects with. Fails unless that is a StreamError with the code. */
export async function rejection(action: () => unknown, code: StreamErrorCode): Promise<StreamError> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    assert.is(error.code, code, error.message);
    return error;
  }
  throw new Error(`Expected a StreamError "${code}", and nothing was thrown`);
}

/** Code with which a promise has ended, "done" if it resolved; undefined before. */
export function outcomeOf(promise: Promise<unknown>): { code?: string } {
  const outcome: { code?: string } = {};
  promise.then(() => (outcome.code = "done"), (error: StreamError) => (outcome.code = error.code));
  return outcome;
}
