// millrace: the entry of a page's codec worker. Plain JavaScript, so that its name is the same in source and build.
import { serve } from "./worker.ts";

serve();
