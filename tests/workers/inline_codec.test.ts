import { createInlineCodec } from "../../workers/jobs/inline_codec.ts";
import { codecConformance } from "../support/conformance/codec.ts";

codecConformance("inline codec", () => createInlineCodec());
