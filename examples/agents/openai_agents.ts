// OpenAI's agents SDK: answers each request by the text of a streamed run.
import { type Agent, run } from "@openai/agents";
import type { Runtime } from "millrace";

export function serveAgent(runtime: Runtime, agent: Agent): void {
  runtime.registerRequestHandler("ask", async ({ reader, signal }, reply) => {
    const result = await run(agent, await reader.readAll(), { stream: true, signal });
    await reply.sendText(result.toTextStream()); // a run that fails is an error at the asker
    await result.completed;
  });
}
