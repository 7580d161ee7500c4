// AI SDK: answers each request by the words of `streamText`, as the model writes them.
import { type LanguageModel, streamText, type TextStreamPart, type ToolSet } from "ai";
import type { Runtime } from "millrace";

export function serveModel(runtime: Runtime, model: LanguageModel): void {
  runtime.registerRequestHandler("ask", async ({ reader, signal }, reply) => {
    const prompt = await reader.readAll();
    const { stream } = streamText({ model, prompt, abortSignal: signal }); // stops when nobody waits for the reply any more
    await reply.sendText(wordsOf(stream));
  });
}

/** Gives the words, and throws when the model fails: `textStream` would end as if the answer were whole. */
async function* wordsOf(parts: AsyncIterable<TextStreamPart<ToolSet>>): AsyncGenerator<string> {
  for await (const part of parts) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") yield part.text;
  }
}
