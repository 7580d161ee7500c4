// Millrace and `livekit-client` in Chromium, used plainly, both ways.
// needs: chromium
import { interop } from "./interop.ts";

interop("browser");
