// needs: chromium
// A page with the newest version of livekit-client passes every transport's conformance suite.
import { pageConformance } from "../../support/pages/conformance_of.ts";
import { NEWEST } from "../../support/pages/sdks.ts";

await pageConformance(NEWEST);
