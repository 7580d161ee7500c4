// The transport of livekit-client's Rooms passes every transport's conformance suite, in a page.
// needs: chromium
import { Chromium } from "../../support/browser/chromium.ts";
import { declarePageTests } from "../../support/browser/page_tests.ts";
import { startServer } from "../../../bench/support/server.ts";
import { suite } from "../../support/harness.ts";

const test = suite("livekit-client");
const server = await startServer();
const chromium = await Chromium.start();
const page = await chromium.open({ entries: ["tests/support/pages/page_conformance.ts"] });
await page.exposeFunction("connection", async (identity: string, room: string) => ({
  url: server.url,
  token: await server.token(identity, room),
}));
await declarePageTests(test, page);
test.after(async () => {
  await chromium[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
test.run();
