// The worker of the peer "raw messages": the leanest possible pool. Plain JavaScript, so that its name is the same in source and build.
import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ({ id, buffer, length, spin }) => {
  if (spin === undefined) return parentPort?.postMessage({ id, digest: hash(new Uint8Array(buffer, 0, length)) });
  const bytes = new Uint8Array(32e6).fill(id);
  const until = performance.now() + spin;
  let hashed = 0;
  for (let at = 0; performance.now() < until; at = (at + 240_000) % 31e6) {
    hash(bytes.subarray(at, at + 240_000));
    hashed += 240_000;
  }
  parentPort?.postMessage({ id, hashed });
});

function hash(bytes) {
  return createHash("sha256").update(bytes).digest("latin1");
}
