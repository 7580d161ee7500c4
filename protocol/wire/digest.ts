import { createSha256, equalBytes } from "../../platform.ts";

/** Digest of a stream under way. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Base64; to be asked once. */
  finish(): string;
}

/** Digest of bytes that are not hashed apart: those of the plain format. */
export const NO_DIGEST: Uint8Array = new Uint8Array(0);

/** True if a digest is the sha256 of bytes that are few enough to hash at once. */
export function isDigestOf(digest: Uint8Array, bytes: Uint8Array): boolean {
  const hash = createSha256();
  hash.update(bytes);
  return equalBytes(hash.digest(), digest);
}

/**
 * The digest of a stream: of a plain one over its bytes, of a framed one over the sha256s of its frames, which cores can make in parallel.
 */
export function runningDigest(): RunningDigest {
  const hash = createSha256();
  return {
    update(bytes) {
      hash.update(bytes);
    },
    finish() {
      return hash.digest("base64");
    },
  };
}
