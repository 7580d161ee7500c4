// needs: chromium
// A page with the newest version of livekit-client survives closed tabs and lost connections.
import { pageFaults } from "../../support/pages/faults_of.ts";
import { NEWEST } from "../../support/pages/sdks.ts";

await pageFaults(NEWEST);
