// needs: chromium, livekit-client-2.16
// A page with the oldest supported version of livekit-client passes every transport's conformance suite.
import { pageConformance } from "../../support/pages/conformance_of.ts";
import { OLDEST } from "../../support/pages/sdks.ts";

await pageConformance(OLDEST);
