import { mimes } from "mrmime";
import { DEFAULT_MIME_TYPE } from "../protocol/constants.ts";

/** Extensions of types that have several, where the first of them is not the usual one. */
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

/** A name for a file that has none, by its MIME type: "file.pdf"; "file.bin" for a type that says nothing. */
export function nameOfType(mimeType: string): string {
  const type = (mimeType.split(";")[0] ?? "").trim().toLowerCase();
  const usual = Object.hasOwn(USUAL, type) ? USUAL[type] : undefined;
  const extension = usual ?? Object.keys(mimes).find((key) => mimes[key] === type);
  return `file.${extension ?? "bin"}`;
}

/** The MIME type that a file name's extension stands for; `application/octet-stream` if it stands for none. */
export function mimeTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1).toLowerCase();
  // A name that is all extension (".png", "png") has none; and "x.constructor" finds what every object inherits.
  if (dot < 1 || !Object.hasOwn(mimes, extension)) return DEFAULT_MIME_TYPE;
  return mimes[extension] ?? DEFAULT_MIME_TYPE;
}
