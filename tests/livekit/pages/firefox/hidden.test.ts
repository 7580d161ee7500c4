// needs: firefox, puppeteer-core
// A page of Firefox in a room behind another tab.
import { Firefox } from "../../../support/browser/firefox.ts";
import { hiddenMembers } from "../../../support/pages/hidden_of.ts";
import { NEWEST } from "../../../support/pages/sdks.ts";

await hiddenMembers(NEWEST, () => Firefox.start());
