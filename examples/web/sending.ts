// Files to the agent: dropped onto the page, chosen, or made up.
import type { Runtime } from "millrace";
import { byId, make, makeButton, messageOf, size } from "./elements.ts";

/** Most bytes that `getRandomValues` fills at once. */
const RANDOM_BYTES = 65_536;

/** Number of times that these are in the sample. */
const REPEATED = 122;

/** Sends to the agent each file that the user drops or chooses. */
export function startSending(runtime: Runtime, agent: string): void {
  const send = (files: Iterable<File>): void => {
    for (const file of files) void transfer(runtime, agent, file);
  };
  addEventListener("dragover", (event) => {
    event.preventDefault(); // otherwise the browser would open the file
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) document.body.classList.remove("dragging"); // the file has left the page
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    send(event.dataTransfer?.files ?? []);
  });
  const input = byId<HTMLInputElement>("choose");
  input.addEventListener("change", () => {
    send(input.files ?? []);
    input.value = ""; // so that the same file can be chosen again
  });
  byId("sample").addEventListener("click", () => send([sample()]));
}

/** Sends a file, and shows its progress and the agent's receipt. */
async function transfer(runtime: Runtime, agent: string, file: File): Promise<void> {
  const abort = new AbortController();
  const bar = make("progress");
  bar.max = 100;
  bar.value = 0;
  bar.ariaLabel = `Progress of ${file.name}`;
  const note = make("small", "", size(file.size));
  const stop = makeButton("Stop", `Stop sending ${file.name}`, () => abort.abort());
  const item = make("li", "", make("span", "name", file.name), stop, bar, note);
  byId("transfers").prepend(item);
  const started = performance.now();
  try {
    const { receipts = [] } = await runtime.sendFile(file, {
      topic: "files",
      destinationIdentities: [agent],
      signal: abort.signal,
      onProgress: ({ bytes, percent, bytesPerSecond }) => {
        bar.value = percent ?? 0;
        note.textContent = `${size(bytes)} of ${size(file.size)}, ${size(bytesPerSecond)}/s`;
      },
    });
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    note.textContent = receipts.map(({ identity, bytes }) => `Receipt of ${identity}: ${size(bytes)} saved and checked`).join() +
      `, after ${seconds} s`;
    item.className = "done";
  } catch (error) {
    note.textContent = abort.signal.aborted ? "Stopped: the agent keeps nothing of it" : messageOf(error);
    item.className = "failed";
  }
  stop.remove();
}

/** Makes a file of some 8 MB that deflate cannot compress: it looks back half as far as the contents repeat. */
function sample(): File {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return new File(Array.from({ length: REPEATED }, () => bytes), "sample.bin");
}
