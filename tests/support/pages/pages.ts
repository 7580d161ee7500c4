// Participants in pages of one browser, each in a tab of its own, beside those of this process.
import { readFile } from "node:fs/promises";
import { Chromium } from "../browser/chromium.ts";
import { slowed, type TestBrowser, type TestPage } from "../browser/test_browser.ts";
import { pattern, sha256 } from "../bytes.ts";
import { pause } from "../waiting.ts";
import type { LiveKitRoom } from "../livekit/livekit_rooms.ts";
import type { ClientSdk } from "./sdks.ts";

/** Time between two looks at a page, in ms. */
const LOOK_MS = 20;

export interface JoinOptions {
  readonly url: string;
  readonly token: string;
  /** True for livekit-client without Millrace. */
  readonly plain?: boolean;
  /** Passphrase of end-to-end encryption. */
  readonly passphrase?: string;
}

/** Content of a stream, in few words: both ends make the same of it. */
export type Content =
  | { readonly kind: "text"; readonly text: string; readonly times?: number }
  | { readonly kind: "bytes"; readonly bytes: number; readonly file?: boolean };

export interface Options {
  readonly topic: string;
  readonly destinationIdentities?: string[];
  readonly attributes?: Record<string, string>;
  readonly name?: string;
  readonly confirm?: boolean;
  readonly replyToId?: string;
}

/** A stream that a page has received to its end. Bytes are told by their sha256. */
export interface Ended {
  readonly from: string;
  readonly kind: "text" | "bytes";
  readonly info: Record<string, unknown>;
  readonly content?: string;
  readonly error?: string;
}

export interface Sent {
  readonly info?: Record<string, unknown>;
  /** Code of a failure. */
  readonly error?: string;
}

/** Calls of a page, as `globalThis.member`. */
export interface PageMemberApi {
  join(options: JoinOptions): Promise<void>;
  listen(topic: string): void;
  send(content: Content, options: Options): Promise<Sent>;
  received(): Ended[];
  errors(): string[];
  chunks(): number;
  encrypted(): number;
  others(): string[];
  simulate(scenario: "signal-reconnect" | "full-reconnect"): Promise<void>;
  state(): string;
  leave(): Promise<void>;
}

/** A tab with a participant. */
export class PageMember {
  readonly identity: string;
  readonly page: TestPage;
  readonly #waiting: Ended[] = [];

  constructor(identity: string, page: TestPage) {
    this.identity = identity;
    this.page = page;
  }

  async call<Name extends keyof PageMemberApi>(
    name: Name,
    ...values: Parameters<PageMemberApi[Name]>
  ): Promise<Awaited<ReturnType<PageMemberApi[Name]>>> {
    return await this.page.evaluate(
      ([called, given]) =>
        (globalThis as unknown as { member: Record<string, (...given: unknown[]) => unknown> }).member[called as string]?.(
          ...given as unknown[],
        ),
      [name, values],
    ) as Awaited<ReturnType<PageMemberApi[Name]>>;
  }

  /** The next stream that it has received to the end. */
  async next(): Promise<Ended> {
    while (this.#waiting.length === 0) {
      this.#waiting.push(...await this.call("received"));
      await pause(LOOK_MS);
    }
    return this.#waiting.shift() as Ended;
  }
}

/** The browser of a test file. */
export class Pages implements AsyncDisposable {
  readonly #browser: TestBrowser;
  readonly #sdk: ClientSdk;
  readonly #e2eeWorker: string;

  private constructor(browser: TestBrowser, sdk: ClientSdk, e2eeWorker: string) {
    this.#browser = browser;
    this.#sdk = sdk;
    this.#e2eeWorker = e2eeWorker;
  }

  static async start(sdk: ClientSdk, start: () => Promise<TestBrowser> = () => Chromium.start()): Promise<Pages> {
    return new Pages(await start(), sdk, await readFile(sdk.e2eeWorker, "utf8"));
  }

  /** Opens a tab that joins the room. */
  async join(
    room: LiveKitRoom,
    identity: string,
    options: { plain?: boolean; passphrase?: string } = {},
  ): Promise<PageMember> {
    const page = await this.#browser.open({
      entries: ["tests/support/pages/page_member.ts"],
      sdk: this.#sdk.module,
      files: { "/e2ee.js": this.#e2eeWorker },
    });
    await page.waitForFunction("globalThis.member !== undefined");
    const member = new PageMember(identity, page);
    await this.rejoin(room, member, options);
    return member;
  }

  /** Hides a member's tab behind another one. Resolves once its timers are slowed. */
  async hide({ page }: PageMember): Promise<void> {
    await this.#browser.hide(page);
    await slowed(page);
  }

  /** Lets a tab that was loaded again join the room. */
  async rejoin(room: LiveKitRoom, member: PageMember, options: { plain?: boolean; passphrase?: string } = {}): Promise<void> {
    const { server, name } = room;
    await member.call("join", { url: server.url, token: await server.token(member.identity, name), ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
  }
}

/** Content as a page tells of it. */
export function toldOf(content: Content): string {
  if (content.kind === "text") return content.text.repeat(content.times ?? 1);
  return sha256(pattern(content.bytes));
}
