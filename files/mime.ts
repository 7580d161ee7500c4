import { mimes } from "mrmime";
import { DEFAULT_MIME_TYPE } from "../protocol/constants.ts";

/** Usual extensions of types whose first extension is another. */
const USUAL: Readonly<Record<string, string>> = {
  "text/plain": "txt",
  "text/html": "html",
  "text/markdown": "md",
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "image/tiff": "tiff",
  "audio/mpeg": "mp3",
  "audio/midi": "mid",
  "audio/ogg": "ogg",
  "audio/mp4": "m4a",
  "video/mpeg": "mpg",
  "video/mp4": "mp4",
  "application/xml": "xml",
  "text/xml": "xml",
};

/** Makes a name for a file without one by its MIME type: "file.pdf", or "file.bin" for an unknown type. */
export function nameOfType(mimeType: string): string {
  const type = (mimeType.split(";")[0] ?? "").trim().toLowerCase();
  const usual = Object.hasOwn(USUAL, type) ? USUAL[type] : undefined;
  const extension = usual ?? Object.keys(mimes).find((key) => mimes[key] === type);
  return `file.${extension ?? "bin"}`;
}

/** Finds the MIME type of a file name's extension; `application/octet-stream` if there is none. */
export function mimeTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1).toLowerCase();
  // ".png" and "png" have no extension. `hasOwn` keeps out inherited members, as of "x.constructor".
  if (dot < 1 || !Object.hasOwn(mimes, extension)) return DEFAULT_MIME_TYPE;
  return mimes[extension] ?? DEFAULT_MIME_TYPE;
}
