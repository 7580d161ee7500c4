// Suites of other folders that run in a page as well: those without Node's modules, and without minutes of simulated lines.
import * as assert from "uvu/assert";
import { type Suite, suite } from "../harness.ts";
import { Chromium } from "./chromium.ts";
import { declarePageTests } from "./page_tests.ts";
import type { PageOptions, TestBrowser, TestPage } from "./test_browser.ts";

/** Suites about bytes, their memory and digests: they run on each kind of page. */
export const BYTE_SUITES: readonly string[] = [
  "tests/common/utf8.test.ts",
  "tests/hostile/forged_frames.test.ts",
  "tests/incoming/read_all.test.ts",
  "tests/incoming/readable.test.ts",
  "tests/incoming/reader_ends.test.ts",
  "tests/outgoing/missing_receivers.test.ts",
  "tests/peers/protocol_streams.test.ts",
  "tests/records/record_reader.test.ts",
  "tests/records/record_writer.test.ts",
  "tests/requests/plain_requests.test.ts",
  "tests/requests/request_ends.test.ts",
  "tests/requests/requests.test.ts",
  "tests/runtime/runtime_api.test.ts",
  "tests/wire/frames.test.ts",
  "tests/wire/inline_content.test.ts",
  "tests/writers/cancelling.test.ts",
  "tests/writers/large_text.test.ts",
  "tests/writers/progress.test.ts",
  "tests/writers/writable.test.ts",
];

/** All suites that a page runs. */
export const SUITES: readonly string[] = [
  ...BYTE_SUITES,
  "tests/actors/stream_actor.test.ts",
  "tests/actors/stream_listener.test.ts",
  "tests/flow/stream_credit.test.ts",
  "tests/hostile/forged.test.ts",
  "tests/incoming/unhandled_streams.test.ts",
  "tests/incoming/unread.test.ts",
  "tests/peers/leaving.test.ts",
  "tests/runtime/limits.test.ts",
  "tests/runtime/option_names.test.ts",
  "tests/runtime/options.test.ts",
  "tests/wire/control.test.ts",
  "tests/wire/header.test.ts",
  "tests/workers/segments.test.ts",
];

/** Suites that run in Firefox, on each kind of page. */
export const FIREFOX_SUITES: readonly string[] = [
  ...BYTE_SUITES,
  "tests/browser/pages/codec.ts",
  "tests/browser/pages/files.ts",
  "tests/browser/pages/workers.ts",
];

/** Tests that a page cannot run: they measure the process's memory, or count the turns of Node's event loop. */
const NOT_IN_PAGES: readonly RegExp[] = [
  /an announced size alone allocates nothing/,
  /never decoded in one turn of the event loop/,
];

/** Declares the suites as tests of one page. `check` looks at the page first. The caller runs the suite. */
export async function suiteOfPage(
  title: string,
  options: PageOptions,
  check: (page: TestPage) => Promise<void>,
  start: () => Promise<TestBrowser> = () => Chromium.start(),
): Promise<Suite> {
  const test = suite(title);
  const browser = await start();
  test.after(() => browser[Symbol.asyncDispose]());
  const page = await browser.open(options);
  test(`page: is ${title}`, () => check(page));
  await declarePageTests(test, page, NOT_IN_PAGES);
  return test;
}

/** Declares the suites about bytes as tests of a page by plain HTTP from another host. The caller runs the suite. */
export function insecureSuite(title: string, start?: () => Promise<TestBrowser>): Promise<Suite> {
  const entries = [...BYTE_SUITES, "tests/browser/pages/codec.ts"];
  return suiteOfPage(title, { entries, secure: false }, async (page) => {
    assert.equal(
      await page.evaluate(() => [isSecureContext, typeof crypto.subtle, typeof crypto.randomUUID, typeof SharedArrayBuffer]),
      [false, "undefined", "undefined", "undefined"],
    );
  }, start);
}
