// A browser with the sites of its pages: what tests of Chromium and Firefox share.
import type { Page } from "playwright-core";
import { INSECURE_HOST } from "../../../bench/support/chromium_flags.js";
import { pause, until } from "../waiting.ts";
import { Site, type SiteOptions } from "./site.ts";

/** Time between two looks at a page that is on its way back, in ms. */
const LOOK_MS = 50;

/** Timers of a hidden page that are measured: Chromium slows those that follow five others. */
const CHAINED_TIMERS = 9;

/** Delay beyond which a timer is slowed, in ms: hidden pages have one a second. */
const SLOWED_MS = 900;

export interface PageOptions extends SiteOptions {
  /** False for a page without a secure context. */
  readonly secure?: boolean;
}

/** The part of a page in which playwright-core and puppeteer-core agree, as far as tests of both browsers use it. */
export type TestPage = Pick<Page, "close" | "evaluate" | "exposeFunction" | "goto" | "reload" | "url" | "waitForFunction"> & {
  on(name: "pageerror", listener: (error: Error) => void): unknown;
  on(name: "console", listener: (message: { type(): string; text(): string }) => void): unknown;
};

/** A browser of one test file. */
export abstract class TestBrowser<Tab extends TestPage = TestPage> implements AsyncDisposable {
  readonly #sites: Site[] = [];

  /** Opens an empty tab in a profile of its own. */
  protected abstract openTab(): Promise<Tab>;
  protected abstract openTabBefore(page: TestPage): Promise<void>;
  protected abstract end(): Promise<void>;

  /** Opens a page on a site of its own, in a profile of its own. */
  async open(options: PageOptions): Promise<Tab> {
    const site = await Site.open(options);
    this.#sites.push(site);
    const page = await this.openTab();
    const errors: Error[] = [];
    page.on("pageerror", (error) => {
      errors.push(error);
      console.error(error);
    });
    page.on("console", (message) => {
      if (message.type() === "error") console.error(message.text());
    });
    await page.goto(site.url(options.secure === false ? INSECURE_HOST : undefined));
    if (errors.length > 0) throw new Error("The page's module has failed", { cause: errors[0] });
    return page;
  }

  /** Opens another tab before a page, which is hidden then. */
  async hide(page: TestPage): Promise<void> {
    await this.openTabBefore(page);
    await until(() => page.evaluate(() => document.visibilityState === "hidden"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    for (const site of this.#sites) await site[Symbol.asyncDispose]();
  }
}

/** Leaves a page for another one of its site, for some ms, and goes back. Resolves when the page is shown again. */
export async function awayAndBack(page: TestPage, ms: number): Promise<void> {
  await page.goto(new URL("/other", page.url()).href);
  await pause(ms);
  // The drivers' own calls wait for a page that is loaded, which one from the cache is not.
  await page.evaluate(() => void setTimeout(() => history.back()));
  await until(async () => {
    await pause(LOOK_MS);
    return await page.evaluate(() => location.pathname === "/").catch(() => false); // in mid-navigation there is no page
  });
}

/** Delays of timers of 0 ms that a page sets one after the other, in ms: 4 at most where the page is visible, some 1,000 where it is hidden. */
export async function timerDelays(page: TestPage): Promise<number[]> {
  return await page.evaluate(async (timers) => {
    const delays: number[] = [];
    for (let count = 0; count < timers; count++) {
      const started = performance.now();
      await new Promise((resolve) => void setTimeout(resolve));
      delays.push(performance.now() - started);
    }
    return delays;
  }, CHAINED_TIMERS);
}

/** Resolves once the timers of a hidden page are slowed to one a second. */
export async function slowed(page: TestPage): Promise<void> {
  await until(async () => ((await timerDelays(page)).at(-1) ?? 0) > SLOWED_MS);
}
