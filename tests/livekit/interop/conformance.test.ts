import { livekitConformance } from "../../support/livekit/conformance_of.ts";
import { dispose, Room } from "../../support/livekit/rooms.ts";

await livekitConformance("livekit", { Room, dispose });
