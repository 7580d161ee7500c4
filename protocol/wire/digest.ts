import { createHash } from "node:crypto";

/** A sha256 under way. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Base64; to be asked once. */
  finish(): string;
}

/** Whether a digest is the sha256 of bytes that are few enough to look at here and now. */
export function isDigestOf(digest: Uint8Array, bytes: Uint8Array): boolean {
  return createHash("sha256").update(bytes).digest().equals(digest);
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
