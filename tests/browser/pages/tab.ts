// A tab with two runtimes of its own, one of which sends files and the other saves them. The test's process drives it.
import { createHub, createRuntime } from "../../../browser.ts";
import { pattern } from "../../support/bytes.ts";
import { createCodecPool } from "../../support/browser/page_platform.ts";

/** Calls on a tab. */
export interface Tab {
  /** Sends files of one name, each of its own bytes, and saves them; gives the saved files' names, and whether each is whole. */
  save(folder: string, name: string, seeds: readonly number[]): Promise<{ path: string; isWhole: boolean }[]>;
  /** Begins a file that never ends; resolves when some of it was saved. */
  begin(folder: string, name: string): Promise<void>;
  /** Names of all entries of a folder, sorted. No entry is opened: Chromium removes those of a closed tab meanwhile. */
  names(folder: string): Promise<string[]>;
}

declare global {
  var tab: Tab;
}

/** Bytes of a file. */
const BYTES = 600_000;

const pool = createCodecPool({ size: 1 });
const hub = createHub();
const sender = await createRuntime({ transport: hub.join("sender"), pool });
const saver = await createRuntime({ transport: hub.join("saver"), pool });

globalThis.tab = {
  async save(folder, name, seeds) {
    const into = await open(folder);
    const saved: Promise<{ path: string; isWhole: boolean }>[] = [];
    saver.registerByteStreamHandler("files", async (reader) => {
      const saving = reader.saveTo(into).then(async ({ path }) => {
        const bytes = new Uint8Array(await (await (await into.getFileHandle(path)).getFile()).arrayBuffer());
        const expected = pattern(BYTES, Number(reader.info.attributes["seed"]));
        return { path, isWhole: bytes.length === BYTES && bytes.every((byte, at) => byte === expected[at]) };
      });
      saved.push(saving);
      await saving;
    });
    await Promise.all(
      seeds.map((seed) => sender.sendBytes(pattern(BYTES, seed), { topic: "files", name, attributes: { seed: String(seed) } })),
    );
    saver.unregisterByteStreamHandler("files");
    return await Promise.all(saved);
  },
  async begin(folder, name) {
    const into = await open(folder);
    const writer = await sender.streamBytes({ topic: "endless", name });
    const begun = new Promise<void>((resolve) => {
      saver.registerByteStreamHandler("endless", async (reader) => {
        await reader.saveTo(into, { onProgress: ({ bytes }) => bytes > 0 && resolve() });
      });
    });
    void (async () => {
      for (;;) await writer.write(pattern(100_000));
    })();
    await begun;
  },
  async names(folder) {
    const found: string[] = [];
    for await (const name of (await open(folder)).keys()) found.push(name);
    return found.sort();
  },
};

async function open(name: string): Promise<FileSystemDirectoryHandle> {
  return await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
}
