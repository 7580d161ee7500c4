/**
 * LiveKit data streams as actors: text, bytes and files between participants, chunked in worker threads.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 *
 * const heard = new Promise<string>((resolve) => {
 *   bob.registerTextStreamHandler("chat", async (reader) => resolve(await reader.readAll()));
 * });
 * await alice.sendText("Hello, Bob", { topic: "chat" });
 * if (await heard !== "Hello, Bob") throw new Error("Bob heard something else");
 * await alice.close();
 * await bob.close();
 * ```
 *
 * @module
 */
import "./common/platforms/node.ts";
import type { Runtime } from "./actors/runtime/runtime.ts";
import { startRuntime } from "./actors/runtime/millrace_runtime.ts";
import { assertRuntimeOptions, type RuntimeOptions } from "./actors/runtime/options.ts";
import { mimeTypeOf } from "./files/mime.ts";
import { createPartFile } from "./files/create_part_file.ts";
import { openSource } from "./files/source.ts";
import { createInlineCodec } from "./workers/node/job_platform.ts";
import { sharedCodecPool } from "./workers/pool/node_pool.ts";

/**
 * Starts a runtime on a transport.
 *
 * Rejects with a StreamError "invalid-argument" for wrong options.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice"), limits: { idleTimeout: 10_000 } });
 * await alice.close();
 * ```
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  await Promise.resolve(); // wrong options are a rejection, as every other failure
  assertRuntimeOptions(options);
  const codec = options.pool === false ? createInlineCodec() : options.pool ?? sharedCodecPool();
  return startRuntime(options, { codec, files: { openSource, mimeTypeOf, createPartFile } });
}

export * from "./exports.ts";
export { createCodecPool } from "./workers/pool/node_pool.ts";
