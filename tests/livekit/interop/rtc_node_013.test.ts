// Millrace and `@livekit/rtc-node` 0.13.34, used plainly, both ways.
// needs: rtc-node-0.13
import { interop } from "../../support/interop/interop.ts";

interop("rtc-node-0.13");
