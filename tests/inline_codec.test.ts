import { createInlineCodec } from "../workers/inline.ts";
import { codecConformance } from "./conformance/codec.ts";

codecConformance("inline codec", () => createInlineCodec());
