// needs: firefox, puppeteer-core
// A page of Firefox with livekit-client survives closed tabs and lost connections.
import { Firefox } from "../../../support/browser/firefox.ts";
import { pageFaults } from "../../../support/pages/faults_of.ts";
import { NEWEST } from "../../../support/pages/sdks.ts";

await pageFaults(NEWEST, () => Firefox.start());
