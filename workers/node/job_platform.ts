import "../../common/platforms/node.ts";
import type { Codec } from "../codec.ts";
import type { JobPlatform } from "../jobs/engine.ts";
import { InlineCodec } from "../jobs/inline_codec.ts";
import type { SegmentStore } from "../segments.ts";
import { SlicedEngine } from "./sliced_engine.ts";
import { ENCODINGS } from "./zlib.ts";

/** Jobs on Node, Bun and Deno. */
export const nodeJobs: JobPlatform = {
  encodings: ENCODINGS,
  allocate: (bytes) => new SharedArrayBuffer(bytes),
  createEngine: (signal) => new SlicedEngine(signal),
};

/** Creates a codec without worker threads, for `pool: false`. */
export function createInlineCodec(segments?: SegmentStore): Codec {
  return new InlineCodec(nodeJobs, segments);
}
