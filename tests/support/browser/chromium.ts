// Headless Chromium for the tests of a file.
import { type Browser, chromium, type Page } from "playwright-core";
import { needed } from "../../../bench/support/programs.ts";
import { CHROMIUM_FLAGS, INSECURE_HOST } from "../../../bench/support/chromium_flags.js";
import { Site, type SiteOptions } from "./site.ts";

export interface PageOptions extends SiteOptions {
  /** False for a page without a secure context. */
  readonly secure?: boolean;
}

/** A browser with the sites of its pages. */
export class Chromium implements AsyncDisposable {
  readonly browser: Browser;
  readonly #sites: Site[] = [];

  private constructor(browser: Browser) {
    this.browser = browser;
  }

  static async start(options: { flags?: readonly string[]; without?: readonly string[] } = {}): Promise<Chromium> {
    const { flags = [], without = [] } = options;
    const args = [...CHROMIUM_FLAGS, ...flags];
    return new Chromium(await chromium.launch({ executablePath: needed("chromium"), args, ignoreDefaultArgs: [...without] }));
  }

  /** Opens a page on a site of its own, in a profile of its own. */
  async open(options: PageOptions): Promise<Page> {
    const site = await Site.open(options);
    this.#sites.push(site);
    const context = await this.browser.newContext(); // of its own, so that a test can open further tabs in it
    const page = await context.newPage();
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
    await this.browser.close();
    for (const site of this.#sites) await site[Symbol.asyncDispose]();
  }
}
