/** Time after which the browser has begun a download, in ms. */
const BEGUN_MS = 60_000;

/**
 * Offers a Blob or File to the user as a download, as a link with attribute "download" does. For a file that is too large for memory, use
 * `saveTo` with a handle of `showSaveFilePicker`.
 *
 * @example
 * ```ts no-run
 * import { download } from "millrace/browser";
 *
 * runtime.registerByteStreamHandler("reports", async (reader) => download(await reader.blob(), reader.info.name));
 * ```
 */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), BEGUN_MS);
}
