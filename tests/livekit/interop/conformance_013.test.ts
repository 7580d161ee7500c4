// needs: rtc-node-0.13
// The oldest supported version of the SDK.
import { livekitConformance } from "../../support/livekit/conformance_of.ts";
import { sdk } from "../../support/livekit/rtc_node_013.ts";

const { Room, dispose } = sdk;
await livekitConformance("livekit, @livekit/rtc-node 0.13.34", { Room, dispose });
