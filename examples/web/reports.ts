// Reports of the agent, saved in the origin's private file system: they stay when the tab is closed.
import type { Runtime } from "millrace";
import { download } from "millrace/browser";
import { byId, make, makeButton, messageOf, size } from "./elements.ts";

const list = byId("saved");

/** Saves each report, and lists those that are there. */
export async function startReports(runtime: Runtime): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("reports", { create: true });
  runtime.registerByteStreamHandler("reports", async (reader) => {
    const bar = make("progress");
    bar.max = 100;
    bar.ariaLabel = "Progress of the report";
    const item = make("li", "", make("span", "name", reader.info.name), bar);
    list.prepend(item);
    try {
      const { path } = await reader.saveTo(folder, { onProgress: ({ percent }) => void (bar.value = percent ?? 0) });
      item.replaceWith(await entry(folder, path)); // with a number if the name was taken
    } catch (error) {
      item.replaceChildren(make("small", "", messageOf(error)));
    }
  });
  for await (const name of folder.keys()) {
    if (/\.part(\.crswap)?$/.test(name)) continue; // of another tab, or of one that was closed; Chromium has a file of its own beside it
    list.prepend(await entry(folder, name));
  }
}

async function entry(folder: FileSystemDirectoryHandle, name: string): Promise<HTMLElement> {
  const file = await (await folder.getFileHandle(name)).getFile();
  const item = make("li", "done", make("span", "name", name));
  item.append(
    makeButton("Download", `Download ${name}`, () => download(file, name)),
    makeButton("Remove", `Remove ${name}`, () => void folder.removeEntry(name).then(() => item.remove())),
    make("small", "", `${size(file.size)}, ${new Date(file.lastModified).toLocaleTimeString()}`),
  );
  return item;
}
