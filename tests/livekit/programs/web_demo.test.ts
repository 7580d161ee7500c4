// needs: chromium
// The demonstration with a page, as its users run it: `npm start -- --web`, and a browser with two tabs.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import * as assert from "uvu/assert";
import { runtimeCommand } from "../../../bench/support/program_command.ts";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { Chromium } from "../../support/browser/chromium.ts";
import { suite } from "../../support/harness.ts";
import { ExampleProgram } from "../../support/livekit/example_program.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";

/** Bytes of the file that the page sends. */
const FILE_BYTES = 1_000_000;

/** Most bytes that a tab receives of messages between runtimes, and of LiveKit's own. */
const BYSTANDER_BYTES = 100_000;

const REPORT = "figures.md";

const test = suite("demo with a page");

test(
  "demo --web: a page asks, sends files and saves the report, a bystander's tab gets no packet of it, and Ctrl-C leaves nothing",
  () =>
    inTemporaryFolder(async (folder) => {
      await using demo = await start(folder);
      const url = await demo.printed(/Open (\S+) in a browser/);
      await demo.printed(/agent listens/);
      await using tabs = await Tabs.open();
      const bystander = await tabs.visit(`${url}?as=bystander`);
      const page = await tabs.visit(url);

      await page.fill("#words", "What is a stream?");
      await page.press("#words", "Enter");
      await page.waitForSelector("#messages .own:has-text('read by it after')");
      const answer = page.locator("#messages .other:not(.streaming) p");
      await answer.waitFor();
      assert.match(await answer.innerText(), /^You asked "What is a stream\?", and a model would know\. .* on its way\.\s*$/);

      const sent = randomBytes(FILE_BYTES);
      await page.setInputFiles("#choose", { name: "../sent.bin", mimeType: "application/octet-stream", buffer: sent });
      await drop(page, "dropped.txt", "dropped here");
      const receipts = page.locator("#transfers .done small");
      await receipts.nth(1).waitFor();
      assert.equal((await receipts.allInnerTexts()).map((text) => /Receipt of agent: (.*) saved and checked/.exec(text)?.[1]), [
        "12 B",
        "1.0 MB",
      ]);
      const inbox = join(folder, "tmp", (await temporaryFiles(folder)).find((name) => /^millrace-inbox-[^/]+$/.test(name)) ?? "");
      assert.ok((await readFile(join(inbox, "sent.bin"))).equals(sent));
      assert.is(await readFile(join(inbox, "dropped.txt"), "utf8"), "dropped here");

      const saved = page.locator("#saved .done");
      await saved.waitFor();
      assert.is(await saved.locator(".name").innerText(), REPORT);
      const [download] = await Promise.all([page.waitForEvent("download"), saved.getByText("Download").click()]);
      assert.ok((await readFile(await download.path())).equals(await readFile(join(projectRoot(), "docs", REPORT))));
      await page.reload(); // the report stays
      await page.waitForSelector("#saved .done");

      await page.selectOption("#to", "all");
      await page.fill("#words", "Hello, all");
      await page.press("#words", "Enter");
      await bystander.waitForSelector("#messages .other:has-text('Hello, all')");
      assert.is(await bystander.innerText("#private"), "0");
      assert.ok(Number(await bystander.innerText("#public")) > 0);
      assert.is(await bystander.locator("#messages li").count(), 1);
      const received = await receivedBytes(bystander);
      assert.ok(received < BYSTANDER_BYTES, `the bystander's tab received ${received} bytes`);

      demo.signal("SIGINT", "group");
      await page.waitForSelector("[data-state=ended]");
      assert.is(await demo.ended, 0, demo.err);
      await demo.leftNothing();
      assert.equal(await temporaryFiles(folder), []);
      assert.equal(tabs.errors, []);
    }),
  { seconds: 120 },
);

test("demo --web: shows each stream's states, the longest hold, and a stopped file", () =>
  inTemporaryFolder(async (folder) => {
    await using demo = await start(folder);
    const url = await demo.printed(/Open (\S+) in a browser/);
    await demo.printed(/agent listens/);
    await using tabs = await Tabs.open();
    const page = await tabs.visit(url);
    await page.click("#sample");
    await page.waitForFunction(() => (document.querySelector("progress")?.value ?? 0) > 5);
    await page.getByLabel("Stop sending sample.bin").click();
    await page.waitForSelector("#transfers .failed:has-text('Stopped: the agent keeps nothing of it')");
    await page.fill("#words", "And now?");
    await page.press("#words", "Enter");
    await page.waitForSelector("#saved .done");
    await page.waitForSelector("#messages .other:not(.streaming)");
    const states = (await page.locator("#actors li").allInnerTexts()).map((text) => text.split(/\s+/).join(" "));
    assert.ok(states.includes("out files bytes open writing failed"), states.join("\n"));
    assert.ok(states.includes("out questions text open writing closing closed"), states.join("\n"));
    assert.ok(states.includes("in answers text offered receiving closed"), states.join("\n"));
    assert.ok(states.includes("in reports bytes offered receiving closed"), states.join("\n"));
    await page.waitForFunction(() => Number(document.querySelector("#longest")?.textContent) > 0);
    assert.equal((await temporaryFiles(folder)).filter((name) => name.endsWith(".bin") || name.endsWith(".part")), []);
    demo.signal("SIGTERM");
    assert.is(await demo.ended, 0, demo.err);
    await demo.leftNothing();
    assert.equal(await temporaryFiles(folder), []);
    assert.equal(tabs.errors, []);
  }), { seconds: 90 });

test("demo --web: an incompletely named server is one line of error", () =>
  inTemporaryFolder(async (folder) => {
    await using demo = await start(folder, { LIVEKIT_URL: "ws://127.0.0.1:1" });
    assert.is(await demo.ended, 1);
    assert.match(demo.complaints, /^Cannot join as the server must be given: [^\n]*LIVEKIT_API_SECRET\n$/);
    await demo.leftNothing();
    assert.equal(await temporaryFiles(folder), []);
  }), { seconds: 60 });

test.run();

async function start(folder: string, env: Record<string, string> = {}): Promise<ExampleProgram> {
  const temporary = join(folder, "tmp");
  await mkdir(temporary, { recursive: true });
  const command = runtimeCommand(join(projectRoot(), "tools", "start.js"), "--web");
  return new ExampleProgram(command, { cwd: folder, env: { TMPDIR: temporary, ...env } });
}

async function temporaryFiles(folder: string): Promise<string[]> {
  return await readdir(join(folder, "tmp"), { recursive: true });
}

/** Tabs of one profile in a browser of their own. */
class Tabs implements AsyncDisposable {
  /** Exceptions of all tabs, what Millrace told, and what the content security policy refused; LiveKit's SDK logs errors of its own. */
  readonly errors: string[] = [];
  readonly #chromium: Chromium;
  readonly #context: BrowserContext;

  private constructor(chromium: Chromium, context: BrowserContext) {
    this.#chromium = chromium;
    this.#context = context;
  }

  static async open(): Promise<Tabs> {
    const chromium = await Chromium.start();
    const context = await chromium.browser.newContext();
    await context.addInitScript(keepConnections);
    return new Tabs(chromium, context);
  }

  /** Opens a tab. Resolves when its page is connected to the room. */
  async visit(url: string): Promise<Page> {
    const page = await this.#context.newPage();
    page.on("pageerror", (error) => void this.errors.push(error.message));
    page.on("console", (message) => {
      if (/^Cannot |Content Security Policy/.test(message.text())) this.errors.push(message.text());
    });
    await page.goto(url);
    await page.waitForSelector("[data-state=connected]");
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium[Symbol.asyncDispose]();
  }
}

/** Keeps the peer connections that the page makes; runs in the page. */
function keepConnections(): void {
  const kept: RTCPeerConnection[] = [];
  const Original = RTCPeerConnection;
  Object.assign(globalThis, {
    kept,
    RTCPeerConnection: class extends Original {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        kept.push(this);
      }
    },
  });
}

/** Bytes that came by the data channels of a tab, whatever made them. */
async function receivedBytes(page: Page): Promise<number> {
  return await page.evaluate(async () => {
    let bytes = 0;
    for (const connection of (globalThis as unknown as { kept: RTCPeerConnection[] }).kept) {
      for (const entry of (await connection.getStats()).values() as Iterable<{ type: string; bytesReceived?: number }>) {
        if (entry.type === "data-channel") bytes += entry.bytesReceived ?? 0;
      }
    }
    return bytes;
  });
}

/** Drops a file onto the page. */
async function drop(page: Page, name: string, contents: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(([given, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], given));
    return transfer;
  }, [name, contents] as [string, string]);
  await page.dispatchEvent("#drop", "drop", { dataTransfer });
}
