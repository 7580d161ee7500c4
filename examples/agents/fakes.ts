// Models without network, by which the recipes are tried: they say some words, then end, fail, or are silent until they are stopped.
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { Agent, type Model, setTracingDisabled, type StreamEvent } from "@openai/agents";
import { createInspector, type StatelyInspectionEvent } from "@statelyai/inspect";
import type { LanguageModel } from "ai";
import { MockLanguageModelV4 } from "ai/test";

/** Words of a model, and its end. */
export interface Script {
  words: readonly string[];
  ending: "whole" | "failing" | "silent";
  /** Called when the model is stopped before its end. */
  stopped: () => void;
}

async function* say({ words, ending, stopped }: Script, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const silence = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => {
      stopped();
      reject(signal.reason);
    });
  });
  silence.catch(() => {}); // the stream may have been dropped
  for (const word of words) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // models take their time
    yield word;
  }
  if (ending === "failing") throw new Error("the key sk-secret has no credit left");
  if (ending === "silent") await silence;
}

/** A model of the AI SDK. */
export function fakeLanguageModel(script: Script): LanguageModel {
  return new MockLanguageModelV4({
    doStream: ({ abortSignal }) => {
      const words = say(script, abortSignal);
      const usage = {
        inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 1, text: 1, reasoning: 0 },
      };
      return Promise.resolve({
        stream: new ReadableStream({
          start: (controller) => controller.enqueue({ type: "text-start", id: "1" }),
          async pull(controller) {
            const { value, done } = await words.next();
            if (done !== true) return controller.enqueue({ type: "text-delta", id: "1", delta: value });
            controller.enqueue({ type: "text-end", id: "1" });
            controller.enqueue({ type: "finish", finishReason: { unified: "stop", raw: undefined }, usage });
            controller.close();
          },
        }),
      });
    },
  });
}

/** A chat model of LangChain. */
export function fakeChatModel(script: Script): BaseChatModel {
  return new FakeChatModel(script);
}

class FakeChatModel extends BaseChatModel {
  readonly #script: Script;

  constructor(script: Script) {
    super({});
    this.#script = script;
  }

  _llmType(): string {
    return "fake";
  }

  async _generate(): Promise<ChatResult> {
    return await Promise.resolve({ generations: [{ text: "", message: new AIMessage("") }] }); // the recipe's graph streams
  }

  override async *_streamResponseChunks(
    _messages: unknown,
    { signal }: this["ParsedCallOptions"],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    for await (const text of say(this.#script, signal)) {
      const chunk = new ChatGenerationChunk({ text, message: new AIMessageChunk(text) });
      yield chunk;
      await run?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk }); // graphs learn of words by this
    }
  }
}

/** An agent of OpenAI's SDK. */
export function fakeAgent(script: Script): Agent {
  setTracingDisabled(true); // traces would go to OpenAI
  const model: Model = {
    getResponse: () => Promise.reject(new Error("Only streams are expected")),
    getStreamedResponse: async function* ({ signal }): AsyncGenerator<StreamEvent> {
      for await (const delta of say(script, signal)) yield { type: "output_text_delta", delta };
      const content = [{ type: "output_text" as const, text: script.words.join("") }];
      yield {
        type: "response_done",
        response: {
          id: "1",
          usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
          output: [{ type: "message", role: "assistant", status: "completed", content }],
        },
      };
    },
  };
  return new Agent({ name: "fake", instructions: "Answer.", model });
}

/** A client of MCP, connected to a server with some tools. */
export async function mcpClient(addTools: (server: McpServer) => void): Promise<Client> {
  const server = new McpServer({ name: "fake", version: "1.0.0" });
  addTools(server);
  const client = new Client({ name: "fake", version: "1.0.0" });
  const [one, other] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(one), client.connect(other)]);
  return client;
}

/** An inspector that hands on each event as its JSON. */
export function inspectorTo(note: (json: string) => void): ReturnType<typeof createInspector> {
  return createInspector({ send: (event: StatelyInspectionEvent) => note(JSON.stringify(event)) });
}
