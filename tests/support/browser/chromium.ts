// Headless Chromium for the tests of a file, driven by playwright-core.
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { freePort, needed } from "../../../bench/support/programs.ts";
import { CHROMIUM_FLAGS } from "../../../bench/support/chromium_flags.js";
import { TestBrowser, type TestPage } from "./test_browser.ts";

/** Flags by which the driver keeps the timers of hidden tabs quick. */
const UNTHROTTLED: readonly string[] = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

export class Chromium extends TestBrowser<Page> {
  readonly browser: Browser;

  /** Window of all tabs; undefined if each tab has one of its own. */
  readonly #window: BrowserContext | undefined;

  private constructor(browser: Browser, window?: BrowserContext) {
    super();
    this.browser = browser;
    this.#window = window;
  }

  /** Starts it with further flags, and without some that the driver gives. */
  static async start(options: { flags?: readonly string[]; without?: readonly string[] } = {}): Promise<Chromium> {
    const { flags = [], without = [] } = options;
    const args = [...CHROMIUM_FLAGS, ...flags];
    return new Chromium(await chromium.launch({ executablePath: needed("chromium"), args, ignoreDefaultArgs: [...without] }));
  }

  /**
   * Starts it as a user does: a tab behind another one is hidden, and its timers are slowed. The driver's own tabs all look focused, which a
   * connection to the browser's port without the driver's defaults does not do.
   */
  static async startWithHiddenTabs(flags: readonly string[] = []): Promise<Chromium> {
    const port = await freePort();
    const browser = await chromium.launch({
      executablePath: needed("chromium"),
      args: [...CHROMIUM_FLAGS, `--remote-debugging-port=${port}`, ...flags],
      ignoreDefaultArgs: [...UNTHROTTLED],
    });
    const connection = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
    return new Chromium(browser, connection.contexts()[0]);
  }

  protected async openTab(): Promise<Page> {
    const context = this.#window ?? await this.browser.newContext(); // of its own, so that a test can open further tabs in it
    return await context.newPage();
  }

  protected async openTabBefore(page: TestPage): Promise<void> {
    await (await (page as Page).context().newPage()).bringToFront();
  }

  protected async end(): Promise<void> {
    await this.browser.close();
  }
}
