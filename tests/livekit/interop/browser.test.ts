// Millrace and `livekit-client` in Chromium, used plainly, both ways.
// needs: chromium
import { interop } from "../../support/interop/interop.ts";

interop("browser");
