import { createHash } from "node:crypto";

/** A sha256 under way. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Base64; to be asked once. */
  finish(): string;
}

/**
 * The digest of a stream: of a plain one over its bytes, of a framed one over the sha256s of its frames, which cores can make in parallel.
 */
export function runningDigest(): RunningDigest {
  const hash = createHash("sha256");
  return {
    update(bytes) {
      hash.update(bytes);
    },
    finish() {
      return hash.digest("base64");
    },
  };
}
