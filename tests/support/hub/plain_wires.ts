// Packets as a plain SDK may send them, right and wrong, and their results at a reader. Used on the hub and in a room.
import type { Runtime, StreamError, Transport } from "../../../mod.ts";
import { plainHeader } from "./raw_participant.ts";

export type Step =
  | { readonly chunk: number; readonly content: string | Uint8Array }
  | { readonly trailer: string; readonly attributes?: Record<string, string> };

export interface Outcome {
  readonly content?: string;
  readonly attributes?: Record<string, string>;
  readonly code?: string;
  readonly reason?: string | undefined;
}

export interface Wire {
  readonly name: string;
  readonly kind: "text" | "bytes";
  readonly totalSize?: number;
  readonly steps: readonly Step[];
  readonly outcome: Outcome;
}

const WORDS = new TextEncoder().encode("größe");
const GONE: Outcome = { code: "disconnected", reason: undefined };
const ABORTED: Outcome = { code: "aborted", reason: "out of words" };
const INCOMPLETE: Outcome = { code: "incomplete", reason: undefined };
const TOO_LARGE: Outcome = { code: "too-large", reason: undefined };
const LEAVING = "Participant dave unexpectedly disconnected in the middle of sending data";

const abcd: readonly Step[] = [{ chunk: 0, content: "ab" }, { chunk: 1, content: "cd" }];
const end: Step = { trailer: "" };
const abort: Step = { trailer: "out of words", attributes: { tokens: "2" } };

/** Streams that end by their packets, each of text and of bytes. */
export const WIRES: readonly Wire[] = ofBothKinds([
  { name: "whole, of no announced size", steps: [...abcd, end], outcome: { content: "abcd", attributes: {} } },
  { name: "whole, as announced", totalSize: 4, steps: [...abcd, end], outcome: { content: "abcd", attributes: {} } },
  {
    name: "with attributes in the trailer",
    steps: [...abcd, { trailer: "", attributes: { tokens: "2" } }],
    outcome: { content: "abcd", attributes: { tokens: "2" } },
  },
  { name: "empty", steps: [end], outcome: { content: "", attributes: {} } },
  { name: "empty, as announced", totalSize: 0, steps: [end], outcome: { content: "", attributes: {} } },
  {
    name: "with an empty chunk",
    steps: [{ chunk: 0, content: "" }, { chunk: 1, content: "ab" }, end],
    outcome: { content: "ab", attributes: {} },
  },
  {
    name: "cut within a code point",
    steps: [{ chunk: 0, content: WORDS.subarray(0, 3) }, { chunk: 1, content: WORDS.subarray(3) }, end],
    outcome: { content: "größe", attributes: {} },
  },
  {
    name: "a chunk that comes twice",
    steps: [{ chunk: 0, content: "ab" }, { chunk: 0, content: "ab" }, { chunk: 1, content: "cd" }, end],
    outcome: { content: "abcd", attributes: {} },
  },
  {
    name: "chunks in another order",
    steps: [{ chunk: 1, content: "cd" }, { chunk: 0, content: "ab" }, end],
    outcome: { content: "abcd", attributes: {} },
  },
  { name: "less than announced", totalSize: 5, steps: [...abcd, end], outcome: INCOMPLETE },
  { name: "nothing of what was announced", totalSize: 5, steps: [end], outcome: INCOMPLETE },
  { name: "more than announced", totalSize: 3, steps: [...abcd, end], outcome: TOO_LARGE },
  { name: "more than announced at once", totalSize: 1, steps: [...abcd, end], outcome: TOO_LARGE },
  {
    name: "an announced size of 0, which is unknown",
    totalSize: 0,
    steps: [...abcd, end],
    outcome: { content: "abcd", attributes: {} },
  },
  { name: "the first chunk missing", steps: [{ chunk: 1, content: "cd" }, end], outcome: INCOMPLETE },
  {
    name: "a chunk missing in between",
    steps: [{ chunk: 0, content: "ab" }, { chunk: 2, content: "ef" }, end],
    outcome: INCOMPLETE,
  },
  {
    name: "a chunk missing of what was announced",
    totalSize: 6,
    steps: [{ chunk: 0, content: "ab" }, { chunk: 2, content: "ef" }, end],
    outcome: INCOMPLETE,
  },
  { name: "given up", steps: [...abcd, abort], outcome: ABORTED },
  { name: "given up before the first chunk", steps: [abort], outcome: ABORTED },
  { name: "given up whole", totalSize: 4, steps: [...abcd, abort], outcome: ABORTED },
  { name: "given up short", totalSize: 5, steps: [...abcd, abort], outcome: ABORTED },
  {
    name: "given up with the SDK's words",
    steps: [...abcd, { trailer: LEAVING }],
    outcome: { code: "aborted", reason: LEAVING },
  },
]);

/** Streams without a trailer: the connection of either end ends. */
export const CUT: readonly Wire[] = ofBothKinds([
  { name: "cut before the first chunk", steps: [], outcome: GONE },
  { name: "cut", steps: abcd, outcome: GONE },
  { name: "cut before the first chunk, announced as empty", totalSize: 0, steps: [], outcome: GONE },
  { name: "cut short", totalSize: 5, steps: abcd, outcome: GONE },
  { name: "cut before its trailer", totalSize: 4, steps: abcd, outcome: GONE },
  { name: "cut behind a gap", steps: [{ chunk: 0, content: "ab" }, { chunk: 2, content: "ef" }], outcome: GONE },
]);

/** Sends each stream, and has `cut` end those without a trailer. Gives the outcome of each, by name. */
export async function outcomesOf(
  wires: readonly Wire[],
  sender: Transport,
  receiver: Runtime,
  cut: () => Promise<void> = async () => {},
): Promise<Record<string, Outcome>> {
  const begun: Promise<void>[] = [];
  const outcomes = wires.map((wire, i) => {
    let begin: () => void = () => {};
    begun.push(new Promise<void>((resolve) => begin = resolve));
    return outcomeAt(receiver, wire, `topic ${i}`, begin);
  });
  for (const [i, wire] of wires.entries()) await send(sender, wire, i);
  await Promise.all(begun);
  await cut();
  const settled = await Promise.all(outcomes);
  return Object.fromEntries(wires.map(({ name }, i) => [name, settled[i] ?? {}]));
}

/** Expected results. */
export function expectedOf(wires: readonly Wire[]): Record<string, Outcome> {
  return Object.fromEntries(wires.map(({ name, outcome }) => [name, outcome]));
}

function ofBothKinds(wires: readonly Omit<Wire, "kind">[]): Wire[] {
  return wires.flatMap((wire) =>
    (["text", "bytes"] as const).map((kind) => ({ ...wire, name: `${kind} ${wire.name}`, kind, outcome: { ...wire.outcome } }))
  );
}

async function send(sender: Transport, { kind, totalSize, steps }: Wire, i: number): Promise<void> {
  const streamId = `stream ${i}`;
  const header = plainHeader(streamId, `topic ${i}`, kind, totalSize === undefined ? {} : { totalSize });
  await sender.send({ type: "header", header });
  for (const step of steps) {
    if ("chunk" in step) {
      const content = typeof step.content === "string" ? new TextEncoder().encode(step.content) : step.content;
      await sender.send({ type: "chunk", streamId, index: step.chunk, content });
    } else await sender.send({ type: "trailer", streamId, reason: step.trailer, attributes: step.attributes ?? {} });
  }
}

function outcomeAt(runtime: Runtime, { kind, steps }: Wire, topic: string, begin: () => void): Promise<Outcome> {
  const waitsFor = steps.some((step) => "chunk" in step && step.chunk === 0);
  if (!waitsFor) begin();
  return new Promise((resolve) => {
    const tell = async (read: () => Promise<string>, closed: Promise<{ attributes: Record<string, string> }>): Promise<void> => {
      closed.catch(() => {});
      try {
        const content = await read();
        resolve({ content, attributes: (await closed).attributes });
      } catch (error) {
        const { code, reason } = error as StreamError;
        resolve({ code, reason });
      } finally {
        begin();
      }
    };
    if (kind === "text") {
      runtime.registerTextStreamHandler(topic, async (reader) =>
        await tell(async () => {
          let text = "";
          for await (const part of reader) {
            text += part;
            begin();
          }
          return text;
        }, reader.closed));
    } else {
      runtime.registerByteStreamHandler(topic, async (reader) =>
        await tell(async () => {
          const decoder = new TextDecoder();
          let text = "";
          for await (const part of reader) {
            text += decoder.decode(part, { stream: true });
            begin();
          }
          return text;
        }, reader.closed));
    }
  });
}
