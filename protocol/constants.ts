/** Size of a chunk's content, in bytes: LiveKit's own, below the 16 KiB that every WebRTC implementation takes as one message. */
export const STREAM_CHUNK_SIZE = 15_000;

/** Largest chunk size that may be asked for, in bytes: its packet stays below the 64,000 that LiveKit's SDKs accept. */
export const MAX_CHUNK_SIZE = 60_000;

/**
 * Payload of one segment, the bytes one worker job handles: 16 chunks. Jobs of one chunk reach 0.1–0.2 GB/s, of 16 chunks 2.5–11,
 * as a message to a worker and back costs 44–240 µs. A quarter of the default receive window.
 */
export const SEGMENT_BYTES: number = 16 * STREAM_CHUNK_SIZE;

/** Bytes before a segment's payload, for the header of its frame. */
export const SEGMENT_HEADROOM = 256;

/** Below this many bytes a job is quicker done on this thread than sent to a worker. */
export const INLINE_BYTES = 32_768;

/** Least window of a stream, and of all streams of a sender, in bytes: one chunk of the largest size. */
export const LEAST_WINDOW = 60_000;

/** Capacity of a whole segment, in bytes. */
export const SEGMENT_CAPACITY: number = SEGMENT_HEADROOM + SEGMENT_BYTES;

/** Capacity of a small segment, in bytes, for short writes. */
export const SMALL_SEGMENT_CAPACITY: number = 16_384 + SEGMENT_HEADROOM;

/** Bytes of UTF-8 that a UTF-16 unit takes at most. */
export const MAX_UTF8_BYTES_PER_UNIT = 3;

/** MIME type of bytes of which nothing is known. */
export const DEFAULT_MIME_TYPE = "application/octet-stream";

/** Attribute in headers and trailers with the extension of Millrace runtimes, as JSON; never shown to users. */
export const OWN_ATTRIBUTE = "millrace";

/** Topic on the wire of streams for Millrace runtimes only, so that handlers of plain SDKs in the same room do not fire. */
export const OWN_TOPIC = "millrace";

/**
 * Id of the stream whose chunks are control packets in a LiveKit room. That stream has no header, so that other SDKs drop its chunks: a
 * data packet or an RPC would reach their handlers. No user's stream may have this id.
 */
export const CONTROL_STREAM_ID = "millrace.control";
