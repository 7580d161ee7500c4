import type { AnyActorRef } from "xstate";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import type { SaveOptions } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";

/** Reader of text or bytes. Consumed once, by one of iteration, `readable`, `readAll` or `saveTo`. */
export interface StreamReader<T> extends AsyncIterable<T>, AsyncDisposable {
  /** How far it has come. */
  readonly progress: ProgressTracker;
  /**
   * The stream's bytes or text as a web stream: one, however often it is asked for. Of bytes it is a byte stream, which BYOB readers read
   * too. Cancelling it cancels the stream.
   */
  readonly readable: ReadableStream<T>;
  /** The trailer, once all was taken and checked; rejects as the iteration does. */
  readonly closed: Promise<{ reason: string; attributes: Record<string, string> }>;
  /** The stream's actor: its `getSnapshot().value` is "offered", "receiving", "closed" or "failed". */
  readonly actor: AnyActorRef;
  /** Tells the sender to stop. Leaving a `for await` loop early does so too. After the end it does nothing. */
  cancel(reason?: string): Promise<void>;
}

/**
 * A text stream on its way in. Iteration yields strings as they come; a code point is never split.
 *
 * Ends with a StreamError: "aborted" by the sender, "cancelled" here, "disconnected", "timeout", "incomplete", "corrupt", "too-large",
 * "refused"; "closed" for a second consumer.
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
  /** The whole text. Over `limits.readAllBytes` bytes: "too-large". */
  readAll(options?: { signal?: AbortSignal }): Promise<string>;
}

/**
 * A byte stream on its way in. Iteration yields arrays that are yours. Errors as for {@linkcode TextStreamReader}.
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
 */
export interface ByteStreamReader extends StreamReader<Uint8Array> {
  /** Description of the stream, from its sender. */
  readonly info: ByteStreamInfo;
  /** All bytes in one array. Over `limits.readAllBytes`: "too-large". */
  readAll(options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /**
   * Writes the bytes to a file, whole or not at all. A folder (it exists, or the path ends in a slash, then it is made) gets a file by
   * the sender's name made safe, with a number if that is taken; a stream without a name is saved as "file" with its MIME type's extension. A path given in full
   * that exists: "file-exists". With `overwrite` what stands there is replaced, in a folder the file of that name.
   * Further errors: "unsafe-name", "file-error" with `cause`.
   */
  saveTo(path: string | URL, options?: SaveOptions): Promise<{ path: string; bytes: number }>;
}
