// LangGraph.js: answers each request by records, one for each piece of text and each step of the graph.
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import type { Runtime } from "millrace";
import { z } from "zod";

/** A record of the reply. The asker gives the same schema, and gets its types. */
export const progress = z.union([z.object({ words: z.string() }), z.object({ done: z.string() })]);

export function serveGraph(runtime: Runtime, model: BaseChatModel): void {
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("answer", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addEdge(START, "answer")
    .compile();

  runtime.registerRequestHandler("graph", async ({ reader, signal }, reply) => {
    const input = { messages: [{ role: "user", content: await reader.readAll() }] };
    const records = await reply.streamRecords({ schema: progress });
    for await (const [mode, value] of await graph.stream(input, { streamMode: ["messages", "updates"], signal })) {
      if (mode === "messages") await records.write({ words: value[0].text });
      else for (const step of Object.keys(value)) await records.write({ done: step });
    }
    await records.close(); // a graph that throws ends the reply as failed
  });
}
