// A browser with the sites of its pages: what tests of Chromium and Firefox share.
import type { Page } from "playwright-core";
import { INSECURE_HOST } from "../../../bench/support/chromium_flags.js";
import { Site, type SiteOptions } from "./site.ts";

export interface PageOptions extends SiteOptions {
  /** False for a page without a secure context. */
  readonly secure?: boolean;
}

/** The part of a page in which playwright-core and puppeteer-core agree, as far as tests of both browsers use it. */
export type TestPage = Pick<Page, "evaluate" | "exposeFunction" | "goto" | "reload" | "waitForFunction" | "close"> & {
  on(name: "pageerror", listener: (error: Error) => void): unknown;
  on(name: "console", listener: (message: { type(): string; text(): string }) => void): unknown;
};

/** A browser of one test file. */
export abstract class TestBrowser<Tab extends TestPage = TestPage> implements AsyncDisposable {
  readonly #sites: Site[] = [];

  /** Opens an empty tab in a profile of its own. */
  protected abstract openTab(): Promise<Tab>;
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    for (const site of this.#sites) await site[Symbol.asyncDispose]();
  }
}
