// Calls that find out whether a participant is here.

/** RPC method without a handler: the SDK of a participant answers, and no program sees the call. */
export const UNHANDLED_METHOD = "millrace.here";

/** RPC error codes of calls that reached nobody: recipient not found, recipient gone, no answer, packet not sent. */
export const UNREACHED: ReadonlySet<number> = new Set([1401, 1403, 1501, 1503, 1505]);
