import { mimes } from "mrmime";

/** The type of a file whose extension says nothing. */
export const DEFAULT_MIME_TYPE = "application/octet-stream";

/** The MIME type that a file name's extension stands for; `application/octet-stream` if it stands for none. */
export function mimeTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1).toLowerCase();
  // A name that is all extension (".png", "png") has none; and "x.constructor" finds what every object inherits.
  if (dot < 1 || !Object.hasOwn(mimes, extension)) return DEFAULT_MIME_TYPE;
  return mimes[extension] ?? DEFAULT_MIME_TYPE;
}
