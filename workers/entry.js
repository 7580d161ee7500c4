// What a codec worker starts with. Plain JavaScript, so that its name is the same in source and build.
import { serve } from "./worker.ts";

serve();
