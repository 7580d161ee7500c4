/** MIME types of content that is compressed already: another attempt is wasted work. */
const PACKED = [
  /^(audio|video)\/(?!(x-)?wav|midi)/,
  /^image\/(?!svg|bmp|tiff|x-|vnd)/,
  /^font\/woff/,
  /^application\/(zip|gzip|zstd|x-(7z|bzip2?|gzip|xz|zip|rar|zstd|compress|lz|brotli)|vnd\.(rar|openxmlformats|oasis|android)|epub|java-archive|pdf)/,
];

/** Whether bytes of a MIME type are compressed already. */
export function isPacked(mimeType: string): boolean {
  return PACKED.some((type) => type.test(mimeType));
}
