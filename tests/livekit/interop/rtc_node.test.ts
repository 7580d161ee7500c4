// Millrace and `@livekit/rtc-node` 1.1.0, used plainly, both ways.
import { interop } from "../../support/interop/interop.ts";

interop("rtc-node-1");
