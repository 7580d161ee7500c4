// needs: chromium, livekit-client-2.16
// A page with the oldest supported version of livekit-client exchanges streams with runtimes, pages and plain SDKs.
import { pageInterop } from "../../support/pages/interop_of.ts";
import { OLDEST } from "../../support/pages/sdks.ts";

await pageInterop(OLDEST);
