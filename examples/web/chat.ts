// Questions to the agent and its streamed answers, and messages to everybody.
import type { Runtime, TextStreamReader } from "millrace";
import { byId, make, messageOf } from "./elements.ts";

const messages = byId("messages");
const input = byId<HTMLInputElement>("words");
const to = byId<HTMLSelectElement>("to");

/** Shows messages to everybody, and sends them. `onMessageCame` gets the stream of each. */
export function startLobby(runtime: Runtime, onMessageCame: (streamId: string) => void): void {
  runtime.registerTextStreamHandler("lobby", async (reader, { identity }) => {
    onMessageCame(reader.info.streamId);
    await show(reader, `${identity}, to everybody`);
  });
  onMessage("all", async (text) => {
    addMessage("own", "to everybody").words.textContent = text;
    await runtime.sendText(text, { topic: "lobby" });
  });
}

/** Sends questions to the agent, and shows its answers word by word. Nobody else gets a packet of either. */
export function startChat(runtime: Runtime, agent: string): void {
  runtime.registerTextStreamHandler("answers", (reader, { identity }) => show(reader, identity));
  onMessage("agent", async (text) => {
    const { note, words } = addMessage("own", "to the agent");
    words.textContent = text;
    const asked = performance.now();
    await runtime.sendText(text, { topic: "questions", destinationIdentities: [agent], confirm: true });
    note.textContent += `, read by it after ${Math.round(performance.now() - asked)} ms`; // its receipt has come
  });
}

/** Shows the parts of a text as they come. */
async function show(reader: TextStreamReader, from: string): Promise<void> {
  const { item, note, words } = addMessage("other", from);
  item.classList.add("streaming");
  item.ariaBusy = "true"; // a screen reader waits for all of it
  let parts = 0;
  try {
    for await (const part of reader) {
      words.append(part);
      note.textContent = `${from}, in ${++parts} ${parts === 1 ? "part" : "parts"}`;
      follow();
    }
  } catch (error) {
    note.textContent = `${from}: broken off (${messageOf(error)})`;
  }
  item.classList.remove("streaming");
  item.ariaBusy = "false";
}

function addMessage(className: string, from: string): { item: HTMLElement; note: HTMLElement; words: HTMLElement } {
  const note = make("small", "", from);
  const words = make("p");
  const item = make("li", className, note, words);
  messages.append(item);
  follow();
  return { item, note, words };
}

function follow(): void {
  messages.scrollTop = messages.scrollHeight;
}

/** Calls `send` with each message of the form that is to these receivers. */
function onMessage(receivers: "agent" | "all", send: (text: string) => Promise<void>): void {
  to.value = receivers;
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (to.value !== receivers) return;
    const text = input.value;
    input.value = "";
    send(text).catch((error: unknown) => {
      addMessage("other", "not sent").words.textContent = messageOf(error);
    });
  });
}
