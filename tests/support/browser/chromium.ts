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

/** Timers of a hidden page that are measured: the browser slows those that follow five others. */
const CHAINED_TIMERS = 9;

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

  protected async end(): Promise<void> {
    await this.browser.close();
  }
}

/** Opens another tab before a page, which is hidden then. */
export async function hide(page: Page): Promise<void> {
  await (await page.context().newPage()).bringToFront();
  await page.waitForFunction("document.visibilityState === 'hidden'", undefined, { polling: 100 });
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
