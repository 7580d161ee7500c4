/**
 * Millrace in a web page, by the `browser` condition of `millrace`: the same runtime, with Web Workers and the page's own files.
 *
 * @example
 * ```ts no-run
 * import { Room } from "livekit-client";
 * import { createRuntime } from "millrace";
 * import { livekit } from "millrace/livekit";
 *
 * const room = new Room();
 * await room.connect(url, token);
 * const runtime = await createRuntime({ transport: livekit(room) });
 * input.onchange = () => runtime.sendFile(input.files[0], { topic: "files", onProgress: ({ percent }) => (bar.value = percent ?? 0) });
 * ```
 *
 * @module
 */
import "./common/platforms/browser.ts";
import { startRuntime } from "./actors/runtime/millrace_runtime.ts";
import { assertRuntimeOptions, type RuntimeOptions } from "./actors/runtime/options.ts";
import type { Runtime } from "./actors/runtime/runtime.ts";
import { mimeTypeOf } from "./files/web/mime.ts";
import { createPartFile } from "./files/web/saving.ts";
import { openSource } from "./files/web/source.ts";
import { createInlineCodec, sharedCodecPool } from "./workers/browser/pool.ts";

/**
 * Starts a runtime on a transport.
 *
 * Rejects with a StreamError "invalid-argument" for wrong options.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  await Promise.resolve(); // wrong options are a rejection, as every other failure
  assertRuntimeOptions(options);
  const codec = options.pool === false ? createInlineCodec() : options.pool ?? sharedCodecPool();
  return startRuntime(options, { codec, files: { openSource, mimeTypeOf, createPartFile } });
}

export * from "./exports.ts";
export { download } from "./files/web/download.ts";
export { createCodecPool } from "./workers/browser/pool.ts";
