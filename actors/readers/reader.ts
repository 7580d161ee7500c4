import type { AnyActorRef } from "xstate";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import type { SaveTarget } from "../../protocol/files.ts";
import type { SaveOptions } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";

/** Reader of text or bytes. Consumed once: by iteration, `readable`, `readAll` or `saveTo`. */
export interface StreamReader<T> extends AsyncIterable<T>, AsyncDisposable {
  /** Progress of the reader. */
  readonly progress: ProgressTracker;
  /**
   * The content as a web stream, the same one each time. Of bytes it is a byte stream, for BYOB readers too. Cancelling the web stream
   * cancels the stream.
   */
  readonly readable: ReadableStream<T>;
  /** Resolves with the trailer once all content was consumed and checked; rejects like the iteration. */
  readonly closed: Promise<{ reason: string; attributes: Record<string, string> }>;
  /** Actor of the stream. Its `getSnapshot().value` is "offered", "receiving", "closed" or "failed". */
  readonly actor: AnyActorRef;
  /** Cancels the stream at both ends, as leaving a `for await` loop early does. No effect after the end. */
  cancel(reason?: string): Promise<void>;
}

/**
 * Reader of an incoming text stream. Iteration yields strings as they come; a code point is never split.
 *
 * Fails with a StreamError: "aborted" by the sender, "cancelled" by this receiver, "disconnected", "timeout", "incomplete", "corrupt",
 * "too-large", "refused"; "closed" for a second consumer.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerTextStreamHandler("thoughts", async (reader, { identity }) => {
 *   for await (const part of reader) console.log(`${identity}: ${part}`);
 *   const { reason } = await reader.closed;
 *   if (reason !== "done") throw new Error("Another reason was given");
 * });
 *
 * const writer = await alice.streamText({ topic: "thoughts", confirm: true });
 * await writer.write("Let me see");
 * await writer.close({ reason: "done" });
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface TextStreamReader extends StreamReader<string> {
  /** Description of the stream, from its sender. */
  readonly info: TextStreamInfo;
  /** Resolves with the whole text. Rejects with "too-large" above `limits.readAllBytes`. */
  readAll(options?: { signal?: AbortSignal }): Promise<string>;
}

/**
 * Reader of an incoming byte stream. Iteration yields arrays of the caller's own. Errors as for {@linkcode TextStreamReader}. Large streams
 * make least garbage by a BYOB reader of `readable`: bytes are copied once, into an array that is used again (the second example).
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerByteStreamHandler("reports", async (reader) => {
 *   const { path, bytes } = await reader.saveTo("inbox/"); // made if it is not there; the name is made safe
 *   console.log(path, bytes);
 * });
 *
 * const { receipts } = await alice.sendFile("report.pdf", { topic: "reports" });
 * if (receipts?.[0]?.bytes !== 1_000_000) throw new Error("The file did not arrive");
 * await alice.close();
 * await bob.close();
 * ```
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * let sum = 0;
 * bob.registerByteStreamHandler("samples", async (reader) => {
 *   const byob = reader.readable.getReader({ mode: "byob" });
 *   let buffer = new ArrayBuffer(256 * 1024);
 *   for (;;) {
 *     const { done, value } = await byob.read(new Uint8Array(buffer));
 *     if (done) return;
 *     for (const sample of value) sum += sample;
 *     buffer = value.buffer; // the same memory, for the next read
 *   }
 * });
 *
 * await alice.sendBytes(new Uint8Array(1_000_000).fill(1), { topic: "samples" });
 * if (sum !== 1_000_000) throw new Error("Some samples are missing");
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface ByteStreamReader extends StreamReader<Uint8Array> {
  /** Description of the stream, from its sender. */
  readonly info: ByteStreamInfo;
  /** Resolves with all bytes in one array. Rejects with "too-large" above `limits.readAllBytes`. */
  readAll(options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Resolves with all bytes as a Blob of the stream's MIME type; with "too-large" as `readAll`. */
  blob(options?: { signal?: AbortSignal }): Promise<Blob>;
  /**
   * Writes the bytes to a file, whole or not at all. The target is a path or file URL; in a page it is a handle of a folder or file. In a folder the file gets the sender's name, made safe, with a number if the name is
   * taken. A stream without a name becomes "file" with its MIME type's extension. A path that ends in a slash is a folder, created if it is
   * missing. A path of an existing file: "file-exists". With `overwrite` an existing file is replaced.
   * Further errors: "unsafe-name", "file-error" with `cause`.
   */
  saveTo(target: SaveTarget, options?: SaveOptions): Promise<{ path: string; bytes: number }>;
}
