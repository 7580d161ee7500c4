// Memory of pages and workers that is freed without waiting for the collector, which lets some 64 MB pile up in each thread.

/** Size from which memory is freed so, in bytes: smaller arrays are left to the collector. */
const WORTH_BYTES = 4_096;

/** Bytes that are freed together, as each message has its cost. */
const BATCH_BYTES = 200_000;

const waiting = new Set<ArrayBuffer>();
let waitingBytes = 0;
let port: MessagePort | undefined;

/**
 * Frees memory that is used no more. A transfer takes it from all its owners, the browser's own objects included. A message to a closed port
 * is dropped with what it carries.
 */
export function freeMemory(buffer: ArrayBufferLike): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < WORTH_BYTES) return;
  waiting.add(buffer);
  waitingBytes += buffer.byteLength;
  if (waitingBytes < BATCH_BYTES) return;
  const buffers = [...waiting].filter(({ byteLength }) => byteLength > 0); // one that was transferred since cannot be again
  waiting.clear();
  waitingBytes = 0;
  port ??= portToNowhere();
  port.postMessage(undefined, buffers);
}

function portToNowhere(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}
