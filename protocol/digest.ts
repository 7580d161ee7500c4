import { equalBytes, platform } from "../common/platform.ts";

/** Running digest of a stream. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** Ends the digest. Returns base64; callable once. */
  finish(): string;
}

/** Stands for the digest of a plain stream's segment, which is not hashed by itself. */
export const NO_DIGEST: Uint8Array = new Uint8Array(0);

/** Whether a digest is the sha256 of bytes, which must be few enough to hash at once. */
export function isDigestOf(digest: Uint8Array, bytes: Uint8Array): boolean {
  const hash = platform().createSha256();
  hash.update(bytes);
  return equalBytes(hash.digest(), digest);
}

/**
 * Starts the digest of a stream: sha256 over the bytes of a plain stream, over the frames' sha256s of a framed one. Frames can be hashed
 * in parallel.
 */
export function runningDigest(): RunningDigest {
  const hash = platform().createSha256();
  return {
    update(bytes) {
      hash.update(bytes);
    },
    finish() {
      return platform().encodeBase64(hash.digest());
    },
  };
}
