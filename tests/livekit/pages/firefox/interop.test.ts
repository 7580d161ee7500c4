// needs: firefox, puppeteer-core
// A page of Firefox with livekit-client exchanges streams with runtimes, pages and plain SDKs.
import { Firefox } from "../../../support/browser/firefox.ts";
import { pageInterop } from "../../../support/pages/interop_of.ts";
import { NEWEST } from "../../../support/pages/sdks.ts";

await pageInterop(NEWEST, () => Firefox.start());
