// Millrace and `livekit` for Python, used plainly, both ways.
// needs: python
import { interop } from "./interop.ts";

interop("python");
