// The transports' conformance suite over Rooms of one version of livekit-client, in a page.
import { startServer } from "../../../bench/support/server.ts";
import { Chromium } from "../browser/chromium.ts";
import { declarePageTests } from "../browser/page_tests.ts";
import { suite } from "../harness.ts";
import type { ClientSdk } from "./sdks.ts";

export async function pageConformance(sdk: ClientSdk): Promise<void> {
  const test = suite(`livekit-client ${sdk.version}`);
  const server = await startServer();
  const chromium = await Chromium.start();
  const page = await chromium.open({ entries: ["tests/support/pages/page_conformance.ts"], sdk: sdk.module });
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
}
