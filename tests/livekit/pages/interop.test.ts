// needs: chromium
// A page with the newest version of livekit-client exchanges streams with runtimes, pages and plain SDKs.
import { pageInterop } from "../../support/pages/interop_of.ts";
import { NEWEST } from "../../support/pages/sdks.ts";

await pageInterop(NEWEST);
