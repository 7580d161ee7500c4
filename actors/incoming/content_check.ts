import type { Fault } from "./fault.ts";
import { type RunningDigest, runningDigest } from "../../protocol/wire/digest.ts";
import type { TrailerExtension } from "../../protocol/wire/extension.ts";

/** Compares what was consumed of a stream with what its header and trailer announced. */
export class ContentCheck {
  readonly #running: RunningDigest | undefined;
  #digest: string | undefined;

  /** Streams of another SDK have no digest. */
  constructor(hasDigest: boolean) {
    this.#running = hasDigest ? runningDigest() : undefined;
  }

  /** Digest of the whole stream, in base64; undefined before it was checked. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** Adds bytes of a plain stream, or the digest of a frame, to the digest. */
  update(bytes: Uint8Array): void {
    this.#running?.update(bytes);
  }

  /** Checks a number of bytes against the announced size and the trailer. Returns what is wrong, if anything is. */
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
