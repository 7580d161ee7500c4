// Codecs of a page, under the names that tests import from workers/node and workers/pool. Their bundler, esbuild, does not find the worker:
// the site has it under a path of its own.
import type { Codec } from "../../../workers/codec.ts";
import { browserJobs } from "../../../workers/browser/engine.ts";
import { createCodecPool as createPool, createInlineCodec as createInline } from "../../../workers/browser/pool.ts";
import type { CodecPool, CodecPoolOptions } from "../../../workers/pool/options.ts";
import type { FrameEncoding } from "../../../protocol/wire/frames.ts";

/** Path of the worker on the test's site. */
export const WORKER_PATH = "/worker.js";

/** Frame encodings of a page. */
export const ENCODINGS: readonly FrameEncoding[] = browserJobs.encodings;

export function startPageWorker(): Worker {
  return new Worker(WORKER_PATH, { type: "module" });
}

export function createInlineCodec(): Codec {
  return createInline();
}

export function createCodecPool(options: CodecPoolOptions = {}): CodecPool {
  return createPool({ worker: startPageWorker, ...options });
}

let shared: CodecPool | undefined;

/** One pool for all tests of a page. */
export function sharedCodecPool(): CodecPool {
  shared ??= createCodecPool({ size: 2 });
  return shared;
}
