import type { Fault } from "./fault.ts";
import { type RunningDigest, runningDigest } from "../../protocol/digest.ts";
import type { TrailerExtension } from "../../protocol/wire/extension.ts";

/** Compares the consumed content with the announcements of header and trailer. */
export class ContentCheck {
  readonly #running: RunningDigest | undefined;
  #digest: string | undefined;

  /** `hasDigest` is false for streams of another SDK. */
  constructor(hasDigest: boolean) {
    this.#running = hasDigest ? runningDigest() : undefined;
  }

  /** Digest of the whole stream, base64; undefined before `findFault`. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** Adds bytes of a plain stream, or the digest of a frame, to the digest. */
  update(bytes: Uint8Array): void {
    this.#running?.update(bytes);
  }

  /** Checks a number of bytes, and the digest, against the announced size and the trailer. */
  findFault(
    bytes: number,
    size: number | undefined,
    trailer: TrailerExtension | undefined,
  ): Fault | undefined {
    if (size !== undefined && bytes !== size) return { code: "incomplete", why: `${bytes} of ${size} bytes came` };
    if (trailer === undefined) return undefined;
    this.#digest ??= this.#running?.finish();
    const isSame = trailer.bytes === bytes && trailer.digest === this.#digest;
    return isSame ? undefined : { code: "corrupt", why: "its digest is not that of its bytes" };
  }
}
