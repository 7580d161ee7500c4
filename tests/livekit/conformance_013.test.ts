// The oldest version of the SDK that is said to work. A process can hold one version only.
import "./quiet.ts";
import { dispose, Room } from "rtc-node-0.13";
import { livekitConformance } from "./conformance_of.ts";

await livekitConformance("livekit, @livekit/rtc-node 0.13.34", { Room, dispose });
