// A page of React that chats with the agent of a room, by `useChat`. "/token" gives the room's address and a token.
import { useChat } from "@ai-sdk/react";
import { Room } from "livekit-client";
import { createRuntime, type Runtime } from "millrace";
import { livekit } from "millrace/livekit-client";
import { createElement as h, type ReactNode, useState } from "react";
import { createRoot } from "react-dom/client";
import { chatWith } from "./ai_sdk_chat.ts";

function Chat({ runtime }: { runtime: Runtime }): ReactNode {
  const [transport] = useState(() => chatWith(runtime, "agent"));
  const { messages, sendMessage, stop, status, error } = useChat({ id: "main", transport, resume: true });
  const [text, setText] = useState("");
  const ask = (event: { preventDefault(): void }): void => {
    event.preventDefault();
    void sendMessage({ text });
    setText("");
  };
  const words = (parts: readonly { type: string; text?: string }[]): string => parts.map(({ text = "" }) => text).join("");
  return h(
    "form",
    { onSubmit: ask },
    messages.map(({ id, role, parts }) => h("p", { key: id }, `${role}: ${words(parts)}`)),
    h("p", { role: "status" }, error?.message ?? status),
    h("input", { "aria-label": "Message", value: text, onChange: (event) => setText((event.target as HTMLInputElement).value) }),
    h("button", { type: "submit" }, "Send"),
    h("button", { type: "button", onClick: () => void stop() }, "Stop"),
  );
}

const { url, token } = await (await fetch("/token")).json() as { url: string; token: string };
const room = new Room();
await room.connect(url, token);
const runtime = await createRuntime({ transport: livekit(room) });
createRoot(document.body.appendChild(document.createElement("main"))).render(h(Chat, { runtime }));
