// AI SDK: answers the chats of `useChat`, and makes the SDK's transport for programs that ask.
import {
  type ChatTransport,
  convertToModelMessages,
  type LanguageModel,
  streamText,
  toUIMessageStream,
  type UIMessage,
} from "ai";
import type { Runtime } from "millrace";
import { type ChatServer, chatTransport, serveChat } from "millrace/ai-sdk";

export function serveModelChat(runtime: Runtime, model: LanguageModel): ChatServer {
  return serveChat<UIMessage>(runtime, async ({ messages, signal }) => { // the other end's word: see validateUIMessages
    const { stream } = streamText({ model, messages: await convertToModelMessages(messages), abortSignal: signal });
    return toUIMessageStream({ stream });
  });
}

/** A transport for `useChat` and `Chat`. */
export function chatWith(runtime: Runtime, identity: string): ChatTransport<UIMessage> {
  return chatTransport(runtime, { identity });
}
