// The transports' conformance suite over Rooms of one version of livekit-client, in a page.
import { startServer } from "../../../bench/support/server.ts";
import { Chromium } from "../browser/chromium.ts";
import { declarePageTests } from "../browser/page_tests.ts";
import type { TestBrowser } from "../browser/test_browser.ts";
import { suite } from "../harness.ts";
import type { ClientSdk } from "./sdks.ts";

export async function pageConformance(
  sdk: ClientSdk,
  start: () => Promise<TestBrowser> = () => Chromium.start(),
): Promise<void> {
  const test = suite(`livekit-client ${sdk.version}`);
  const server = await startServer();
  const browser = await start();
  const page = await browser.open({ entries: ["tests/support/pages/page_conformance.ts"], sdk: sdk.module });
  await page.exposeFunction("connection", async (identity: string, room: string) => ({
    url: server.url,
    token: await server.token(identity, room),
  }));
  await declarePageTests(test, page);
  test.after(async () => {
    await browser[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  test.run();
}
