// A participant in a page of headless Chromium, in a process of its own. Run by ../livekit/processes.ts, as `participant.ts page` or
// `participant.ts livekit-client`; commands and answers are JSON lines.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../support/chromium_flags.js";
import { clock } from "../support/clock.ts";
import { emit, serve } from "../support/json_lines.js";
import { needed, projectRoot } from "../support/programs.ts";
import { watchTasks } from "./task_trace.ts";

const COMMANDS = [
  "others",
  "chunks",
  "listen",
  "prepare",
  "send",
  "begin",
  "offer",
  "offered",
  "taken",
  "watchHolds",
  "holds",
  "hear",
  "heard",
  "startBackground",
  "stopBackground",
] as const;

/** Interval of the looks at memory, in ms. */
const LOOK_MS = 50;

const kind = process.argv[2];
const files: Readonly<Record<string, string>> = {
  "/": '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  "/page.js": await bundled("bench/browser/page.ts"),
  "/worker.js": await bundled("workers/browser/entry.js"),
};
const site = createServer((request, response) => {
  const body = files[request.url ?? ""];
  const type = request.url?.endsWith(".js") === true ? "text/javascript" : "text/html";
  response.writeHead(body === undefined ? 404 : 200, { "content-type": type }).end(body);
});
await new Promise<void>((resolve, reject) => void site.once("error", reject).listen(0, "127.0.0.1", resolve));

// A profile on the disk: without one, the browser keeps the page's files in memory.
const profile = mkdtempSync(join(tmpdir(), "millrace-profile-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: needed("chromium"),
  args: [...CHROMIUM_FLAGS],
});
const page = await browser.newPage();
page.on("pageerror", (error) => console.error(error));
page.on("console", (message) => {
  if (message.type() === "error") console.error(message.text());
});
await page.exposeFunction("emit", emit);
await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
await page.waitForFunction("globalThis.commands !== undefined");

let memory: { readonly first: number; largest: number; readonly timer: ReturnType<typeof setInterval> } | undefined;

let trace: Awaited<ReturnType<typeof watchTasks>> | undefined;

const ask = async (name: string, input: object): Promise<unknown> =>
  await page.evaluate(
    ([called, given]) =>
      (globalThis as unknown as { commands: Record<string, (input: object) => unknown> }).commands[called as string]?.(
        given as object,
      ),
    [name, input],
  );

serve({
  ...Object.fromEntries(COMMANDS.map((name) => [name, (input: object) => ask(name, input)])),
  connect: (input: object) => ask("connect", { ...input, kind }),
  clock: () => clock(),

  /** Starts watching the tasks of the page's main thread. */
  async watchTasks() {
    trace = await watchTasks(page);
  },

  tasks: async () => await trace?.stop(),

  /** Starts looking at the memory of the page's process. */
  watchMemory() {
    const first = rendererBytes();
    memory = {
      first,
      largest: first,
      timer: setInterval(() => {
        if (memory !== undefined) memory.largest = Math.max(memory.largest, rendererBytes());
      }, LOOK_MS),
    };
  },

  /** Growth of the memory of the page's process, in bytes. */
  memory() {
    clearInterval(memory?.timer);
    return memory === undefined ? 0 : memory.largest - memory.first;
  },
}, async () => {
  await ask("leave", {}).catch(() => {});
  await browser.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }); // the browser may still write
  site.close();
});

async function bundled(entry: string): Promise<string> {
  const { outputFiles: [file] } = await build({
    entryPoints: [join(projectRoot(), entry)],
    absWorkingDir: projectRoot(),
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "silent",
    tsconfigRaw: "{}",
  });
  return file?.text ?? "";
}

/** Resident memory of the largest renderer below this process, in bytes: of the page, as the others are empty. */
function rendererBytes(): number {
  let largest = 0;
  for (const pid of descendants(process.pid)) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) continue;
      const [, kilobytes = "0"] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      largest = Math.max(largest, 1024 * Number(kilobytes));
    } catch {
      // A process that has just ended.
    }
  }
  return largest;
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...children.get(parent) ?? [], Number(name)]);
    } catch {
      // A process that has just ended.
    }
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0;) {
    const own = children.get(queue.pop() ?? 0) ?? [];
    found.push(...own);
    queue.push(...own);
  }
  return found;
}
