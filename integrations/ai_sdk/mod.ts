/**
 * Chats of the AI SDK (`ai` 5 and later) over Millrace: a server that streams its UI message chunks, and a `ChatTransport` for `useChat`, in
 * pages and on servers. It imports nothing of `ai`.
 *
 * @example
 * ```ts no-run
 * // The agent:
 * import { convertToModelMessages, streamText } from "ai";
 * import { serveChat } from "millrace/ai-sdk";
 *
 * serveChat(agent, async ({ messages, signal }) => {
 *   const { stream } = streamText({ model, messages: await convertToModelMessages(messages), abortSignal: signal });
 *   return toUIMessageStream({ stream });
 * });
 *
 * // The page:
 * import { useChat } from "@ai-sdk/react";
 * import { chatTransport } from "millrace/ai-sdk";
 *
 * const { messages, sendMessage, stop } = useChat({ transport: chatTransport(runtime, { identity: "agent" }) });
 * ```
 *
 * @module
 */
export { type ChatHandler, type ChatRequest, type ChatServer, type ChatServerOptions, serveChat } from "./serve_chat.ts";
export type { ChatChunks } from "./answer.ts";
export { type ChatClient, type ChatClientOptions, chatTransport, type SendMessages, type ToChat } from "./chat_transport.ts";
