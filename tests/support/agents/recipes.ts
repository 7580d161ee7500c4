// The recipes of examples/agents, and what they are tried with. They are loaded by path, as their project has packages of its own.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildAgentExamples } from "../../../bench/support/programs.ts";
import type { ChatClient, ChatServer } from "../../../integrations/ai_sdk/mod.ts";
import type { Chunk } from "./chat_model.ts";
import type { Runtime, StandardSchema, TextSource, TextStreamReader, Transport } from "../../../mod.ts";

const folder = await buildAgentExamples();
const extension = folder.endsWith("dist") ? "js" : "ts";

/** Words of a model, and its end; as in examples/agents/fakes.ts. */
export interface Script {
  words: readonly string[];
  ending: "whole" | "failing" | "silent";
  /** Called when the model is stopped while it is silent. */
  stopped: () => void;
}

/** Result of a tool of MCP. */
export interface ToolResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
}

export interface McpClient {
  callTool(
    params: { name: string; arguments: Record<string, unknown> },
    schema?: undefined,
    options?: { signal: AbortSignal },
  ): Promise<ToolResult>;
  close(): Promise<void>;
}

interface Recipes {
  serveModel(runtime: Runtime, model: unknown): void;
  serveModelChat(runtime: Runtime, model: unknown): ChatServer;
  chatWith(runtime: Runtime, identity: string): ChatClient<Chunk>;
  serveGraph(runtime: Runtime, model: unknown): void;
  readonly progress: StandardSchema<unknown, { words: string } | { done: string }>;
  serveAgent(runtime: Runtime, agent: unknown): void;
  addExportTool(server: unknown, runtime: Runtime, rowsOf: (table: string) => AsyncIterable<Uint8Array>): void;
  serveInspected(transport: Transport, think: (question: TextStreamReader) => TextSource, inspector: unknown): Promise<Runtime>;
}

interface Fakes {
  fakeLanguageModel(script: Script): unknown;
  fakeChatModel(script: Script): unknown;
  fakeAgent(script: Script): unknown;
  mcpClient(addTools: (server: unknown) => void): Promise<McpClient>;
  inspectorTo(note: (json: string) => void): unknown;
}

async function load<T>(name: string): Promise<T> {
  return await import(pathToFileURL(join(folder, `${name}.${extension}`)).href) as T;
}

export const recipes: Recipes = Object.assign(
  {},
  await load<Recipes>("ai_sdk"),
  await load<Recipes>("ai_sdk_chat"),
  await load<Recipes>("langgraph"),
  await load<Recipes>("openai_agents"),
  await load<Recipes>("mcp_tool"),
  await load<Recipes>("inspected_machine"),
);

export const fakes: Fakes = await load<Fakes>("fakes");
