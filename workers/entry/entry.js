// millrace: the entry of a codec worker. Plain JavaScript, so that its name is the same in source and build; own_entry.ts checks this line.
import { serve } from "./worker.ts";

serve();
