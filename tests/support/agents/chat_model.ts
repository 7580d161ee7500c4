// A model whose words a test says one by one, and calls on its chats.
import type { Runtime } from "../../../mod.ts";
import {
  type ChatClient,
  type ChatRequest,
  type ChatServer,
  type ChatServerOptions,
  chatTransport,
  serveChat,
} from "../../../integrations/ai_sdk/mod.ts";
import { Deferred } from "../../../common/promises.ts";
import { inPair } from "../hub/hub_fixture.ts";
import { until } from "../waiting.ts";

/** A chunk of an answer, by the members that tests look at. */
export interface Chunk {
  readonly type: string;
  readonly delta?: string;
  readonly errorText?: string;
}

/** A model whose words a test says one by one. */
export class Model {
  readonly asked: ChatRequest[] = [];
  readonly #words: string[] = [];
  readonly #more: Deferred[] = [];
  #failure: Error | undefined;
  #isWhole = false;
  /** Number of chunks that were taken. */
  taken = 0;

  readonly answer = (request: ChatRequest): AsyncIterable<object> => {
    this.asked.push(request);
    return this.#chunks(request.signal);
  };

  say(...words: string[]): void {
    this.#words.push(...words);
    this.#wake();
  }

  end(failure?: Error): void {
    this.#failure = failure;
    this.#isWhole = true;
    this.#wake();
  }

  async *#chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    signal.addEventListener("abort", () => this.#wake());
    for (;;) {
      const delta = this.#words.shift();
      if (delta !== undefined) {
        this.taken++;
        yield { type: "text-delta", delta };
      } else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#isWhole || signal.aborted) return;
      else {
        const more = new Deferred();
        this.#more.push(more);
        await more.promise;
      }
    }
  }

  #wake(): void {
    for (const more of this.#more.splice(0)) more.resolve();
  }
}

export function chat(runtime: Runtime): ChatClient<Chunk> {
  return chatTransport<Chunk>(runtime, { identity: "bob" });
}

export function message(chatId: string, abortSignal?: AbortSignal): Parameters<ChatClient["sendMessages"]>[0] {
  return { chatId, trigger: "submit-message", messageId: undefined, messages: [], abortSignal };
}

export async function withServer(
  options: ChatServerOptions,
  body: (alice: Runtime, model: Model, server: ChatServer, bob: Runtime) => Promise<void>,
): Promise<void> {
  await inPair(async (alice, bob) => {
    const model = new Model();
    await using server = serveChat(bob, model.answer, options);
    await body(alice, model, server, bob);
  });
}

/** Asks, and reads no more; resolves when the server has noticed. */
export async function leave(alice: Runtime, bob: Runtime): Promise<void> {
  const chunks = await chat(alice).sendMessages(message("c"));
  await chunks.cancel();
  await until(() => bob.stats().open.length === 0);
}

export async function all(chunks: ReadableStream<Chunk>): Promise<Chunk[]> {
  const found: Chunk[] = [];
  for (const reader = chunks.getReader();;) {
    const { done, value } = await reader.read();
    if (done) return found;
    found.push(value);
  }
}

export function textOf(chunks: readonly Chunk[]): string {
  return chunks.map(({ delta }) => delta ?? "").join("");
}

export async function nameOf(work: Promise<unknown>): Promise<string> {
  return await work.then(() => "none", ({ name }: Error) => name);
}
