// MIME types in a page, where a File knows its own: a table of the usual ones, as the whole one would be a tenth of the page's code.
import { DEFAULT_MIME_TYPE } from "../../protocol/constants.ts";

const TYPES: Readonly<Record<string, string>> = {
  bin: DEFAULT_MIME_TYPE,
  csv: "text/csv",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  gif: "image/gif",
  html: "text/html",
  jpg: "image/jpeg",
  js: "text/javascript",
  json: "application/json",
  m4a: "audio/mp4",
  md: "text/markdown",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  pdf: "application/pdf",
  png: "image/png",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  svg: "image/svg+xml",
  txt: "text/plain",
  wav: "audio/wav",
  webm: "video/webm",
  webp: "image/webp",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  zip: "application/zip",
};

/** Finds the MIME type of a file name's extension; `application/octet-stream` if it is not in the table. */
export function mimeTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1).toLowerCase();
  return dot >= 1 && Object.hasOwn(TYPES, extension) ? TYPES[extension] ?? DEFAULT_MIME_TYPE : DEFAULT_MIME_TYPE;
}

/** Makes a name for a file without one by its MIME type: "file.pdf", or "file.bin" for a type that is not in the table. */
export function nameOfType(mimeType: string): string {
  const type = (mimeType.split(";")[0] ?? "").trim().toLowerCase();
  return `file.${Object.keys(TYPES).find((extension) => TYPES[extension] === type) ?? "bin"}`;
}
