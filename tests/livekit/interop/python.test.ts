// Millrace and `livekit` for Python, used plainly, both ways.
// needs: python
import { interop } from "../../support/interop/interop.ts";

interop("python");
