import { livekitConformance } from "./conformance_of.ts";
import { dispose, Room } from "./rooms.ts";

await livekitConformance("livekit", { Room, dispose });
