// Headless Firefox for the tests of a file, driven by puppeteer-core over WebDriver BiDi.
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { INSECURE_HOST } from "../../../bench/support/chromium_flags.js";
import { needed, type Started, startFirefox } from "../../../bench/support/programs.ts";
import { TestBrowser, type TestPage } from "./test_browser.ts";

/** Preferences: a page may meet a server on 127.0.0.1 where there is no other network, and finds the host of insecure pages there. */
const PREFERENCES = {
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "network.dns.localDomains": INSECURE_HOST,
};

/** The part of puppeteer-core that is used. Its types are not read, as its packages are in a folder of their own. */
interface Driver {
  connect(options: { browserWSEndpoint: string; protocol: "webDriverBiDi" }): Promise<DrivenBrowser>;
}

interface DrivenBrowser {
  createBrowserContext(): Promise<DrivenContext>;
  disconnect(): Promise<void>;
}

interface DrivenContext {
  newPage(): Promise<DrivenPage>;
}

interface DrivenPage extends TestPage {
  browserContext(): DrivenContext;
  bringToFront(): Promise<void>;
}

/** The part of the driver's package of profiles. They keep Firefox off the network. */
interface Profiles {
  createProfile(browser: "firefox", options: { path: string; preferences: object }): Promise<void>;
}

export class Firefox extends TestBrowser {
  readonly #program: Started;
  readonly #browser: DrivenBrowser;
  readonly #profile: string;

  private constructor(program: Started, browser: DrivenBrowser, profile: string) {
    super();
    this.#program = program;
    this.#browser = browser;
    this.#profile = profile;
  }

  static async start(): Promise<Firefox> {
    const path = needed("puppeteer-core");
    const { default: driver } = await import(pathToFileURL(path).href) as { default: Driver };
    const { createProfile } = createRequire(path)("@puppeteer/browsers") as Profiles;
    const profile = await mkdtemp(join(tmpdir(), "millrace-firefox-"));
    await createProfile("firefox", { path: profile, preferences: PREFERENCES });
    const program = await startFirefox(needed("firefox"), profile);
    return new Firefox(program, await driver.connect({ browserWSEndpoint: program.url, protocol: "webDriverBiDi" }), profile);
  }

  protected async openTab(): Promise<TestPage> {
    return await (await this.#browser.createBrowserContext()).newPage();
  }

  protected async openTabBefore(page: TestPage): Promise<void> {
    await (await (page as DrivenPage).browserContext().newPage()).bringToFront();
  }

  protected async end(): Promise<void> {
    await this.#program.kill();
    await this.#browser.disconnect(); // after the kill, as the driver would wait for Firefox to close the connection
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
