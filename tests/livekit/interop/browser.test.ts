// Millrace and `livekit-client` in Chromium, used plainly, both ways.
// needs: chromium
import { interop } from "../../support/livekit/interop.ts";

interop("browser");
