// Headless Chromium for the tests of a file, driven by playwright-core.
import { type Browser, chromium, type Page } from "playwright-core";
import { needed } from "../../../bench/support/programs.ts";
import { CHROMIUM_FLAGS } from "../../../bench/support/chromium_flags.js";
import { TestBrowser } from "./test_browser.ts";

export class Chromium extends TestBrowser<Page> {
  readonly browser: Browser;

  private constructor(browser: Browser) {
    super();
    this.browser = browser;
  }

  /** Starts it with further flags, and without some that the driver gives. */
  static async start(options: { flags?: readonly string[]; without?: readonly string[] } = {}): Promise<Chromium> {
    const { flags = [], without = [] } = options;
    const args = [...CHROMIUM_FLAGS, ...flags];
    return new Chromium(await chromium.launch({ executablePath: needed("chromium"), args, ignoreDefaultArgs: [...without] }));
  }

  protected async openTab(): Promise<Page> {
    return await (await this.browser.newContext()).newPage(); // a context of its own, so that a test can open further tabs in it
  }

  protected async end(): Promise<void> {
    await this.browser.close();
  }
}
