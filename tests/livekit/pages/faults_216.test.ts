// needs: chromium, livekit-client-2.16
// A page with the oldest supported version of livekit-client survives closed tabs and lost connections.
import { pageFaults } from "../../support/pages/faults_of.ts";
import { OLDEST } from "../../support/pages/sdks.ts";

await pageFaults(OLDEST);
