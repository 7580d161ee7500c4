// Messages of a chat's client, each a request of JSON. The reply to "submit" and "resume" is a stream of records, one chunk each.
import { StreamError } from "../../errors.ts";
import { isRecord, isStringRecord } from "../../common/shapes.ts";

/** Topic of chats, unless the options say otherwise. */
export const CHAT_TOPIC = "ai-sdk.chat";

/** Form of the records. */
export const CHUNK_FORMAT = "ai-sdk-ui";

/** Attribute of a reply with an answer: the answer's id. A reply to "resume" without it says that there is none. */
export const ANSWER = "answer";

/** Reasons for an answer. */
const TRIGGERS = ["submit-message", "regenerate-message"] as const;

export type ChatTrigger = typeof TRIGGERS[number];

/** Asks for an answer, whose id is that of the request's stream. */
export interface SubmitMessage {
  readonly type: "submit";
  readonly chatId: string;
  readonly trigger: ChatTrigger;
  readonly messageId?: string;
  readonly messages: readonly unknown[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly metadata?: unknown;
}

/** Asks for the running answer of a chat, from its beginning. */
export interface ResumeMessage {
  readonly type: "resume";
  readonly chatId: string;
}

/** Stops an answer. */
export interface AbortMessage {
  readonly type: "abort";
  readonly chatId: string;
  readonly answer: string;
}

export type ChatMessage = SubmitMessage | ResumeMessage | AbortMessage;

/** Shape of a message's member. */
type Shape = (value: unknown) => boolean;

const isString: Shape = (value) => typeof value === "string";
const maybe = (shape: Shape): Shape => (value) => value === undefined || shape(value);

/** Members of messages, by type. Others are ignored, as those of a later version. */
const SHAPES: Readonly<Record<ChatMessage["type"], Readonly<Record<string, Shape>>>> = {
  submit: {
    chatId: isString,
    trigger: (value) => (TRIGGERS as readonly unknown[]).includes(value),
    messageId: maybe(isString),
    messages: Array.isArray,
    headers: maybe(isStringRecord),
    body: maybe(isRecord),
  },
  resume: { chatId: isString },
  abort: { chatId: isString, answer: isString },
};

/** Reads a message. Throws "refused" for any other text. */
export function parseChatMessage(text: string): ChatMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("it is no JSON");
  }
  const type = isRecord(value) ? value["type"] : undefined;
  const shapes = typeof type === "string" && Object.hasOwn(SHAPES, type) ? SHAPES[type as ChatMessage["type"]] : undefined;
  if (!isRecord(value) || shapes === undefined) throw refused("its type is unknown");
  for (const [name, shape] of Object.entries(shapes)) {
    if (!shape(value[name])) throw refused(`its "${name}" has a wrong shape`);
  }
  return value as unknown as ChatMessage;
}

function refused(why: string): StreamError {
  return new StreamError("refused", `Cannot take the chat's message as ${why}`);
}
