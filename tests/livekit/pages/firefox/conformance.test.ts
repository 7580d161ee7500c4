// needs: firefox, puppeteer-core
// A page of Firefox with livekit-client passes every transport's conformance suite.
import { Firefox } from "../../../support/browser/firefox.ts";
import { pageConformance } from "../../../support/pages/conformance_of.ts";
import { NEWEST } from "../../../support/pages/sdks.ts";

await pageConformance(NEWEST, () => Firefox.start());
