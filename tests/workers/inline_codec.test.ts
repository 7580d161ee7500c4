import { createInlineCodec } from "../../workers/node/job_platform.ts";
import { codecConformance } from "../support/conformance/codec.ts";
import { codecPathConformance, withPaths } from "../support/conformance/codec_paths.ts";

codecConformance("inline codec", () => createInlineCodec(), withPaths);
codecPathConformance("inline codec", () => createInlineCodec());
