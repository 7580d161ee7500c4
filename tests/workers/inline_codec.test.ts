import { createInlineCodec } from "../../workers/node/job_platform.ts";
import { codecConformance } from "../support/conformance/codec.ts";

codecConformance("inline codec", () => createInlineCodec());
