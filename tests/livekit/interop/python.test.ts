// Millrace and `livekit` for Python, used plainly, both ways.
// needs: python
import { interop } from "../../support/livekit/interop.ts";

interop("python");
