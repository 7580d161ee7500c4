// PROTOCOL.md's rules of refusal, compared with the code: each with its words, and with inputs just inside and outside.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { decodeControl } from "../../protocol/wire/control.ts";
import { decodeFrameHeader } from "../../protocol/wire/frames.ts";
import { decodeTrailer } from "../../protocol/wire/extension.ts";
import { decodeHeader } from "../../protocol/wire/header.ts";
import { encodeMsgpack } from "../../protocol/wire/msgpack.ts";
import { suite } from "../support/harness.ts";

const test = suite("protocol rules");

const BEYOND = 2 ** 53;
const OVER_64 = "i".repeat(65);
const DIGEST = "cXBjmSMJ1ZcxpYzQtEMuEXhJDwgZeFyPHIv4Y4GtK9M=";

/** Result of a decoder for an input; undefined: nothing. */
type Decode = (input: never) => unknown;
/** Words of the document, valid inputs, and invalid inputs. */
type Rule = readonly [words: string, good: readonly unknown[], bad: readonly unknown[]];

const document = words(readFileSync(join(projectFolder(), "PROTOCOL.md"), "utf8"));

function rules(what: string, decode: Decode, table: readonly Rule[]): void {
  for (const [said, good, bad] of table) {
    test(`${what}: ${said}`, () => {
      assert.ok(document.includes(words(said)), `PROTOCOL.md does not say: ${said}`);
      for (const input of good) assert.ok(decode(input as never) !== undefined, `refused: ${shown(input)}`);
      for (const input of bad) assert.is(decode(input as never), undefined, `taken: ${shown(input)}`);
    });
  }
}

const HELLO = { k: "hello", v: 1, i: "a", w: 60_000, m: 60_000, t: 30_000, e: ["raw"], a: true };
const STATE = { k: "state", i: "a", p: "b", m: 0, r: [], s: [] };
const ACK = { k: "ack", i: "a", p: "b", a: [] };
const hello = (change: object): Uint8Array => encodeMsgpack({ ...HELLO, ...change });
const state = (change: object): Uint8Array => encodeMsgpack({ ...STATE, ...change });
const ack = (change: object): Uint8Array => encodeMsgpack({ ...ACK, ...change });

/** A valid row of `r` or `s`, with some columns changed. */
function receiving(change: Record<number, unknown> = {}, length = 8): Uint8Array {
  return state({ r: [[0, 1, 100, 50, 50, null, null, null].map((old, i) => i in change ? change[i] : old).slice(0, length)] });
}
function sending(change: Record<number, unknown> = {}, length = 4): Uint8Array {
  return state({ s: [[0, null, null, null].map((old, i) => i in change ? change[i] : old).slice(0, length)] });
}

/** Bytes that our encoders never make. */
function raw(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => typeof part === "number" ? [part] : [...part]));
}

/** A goodbye whose last key `z` has this encoded value. */
function goodbyeWith(...value: number[]): Uint8Array {
  const head = encodeMsgpack({ k: "goodbye", i: "a", z: 0 });
  return raw(head.subarray(0, -1), ...value);
}

rules("control", decodeControl as Decode, [
  ["Each is one msgpack map", [encodeMsgpack({ k: "goodbye", i: "a" })], [
    encodeMsgpack(["goodbye", "a"]),
    encodeMsgpack("goodbye"),
    encodeMsgpack(null),
    raw(),
  ]],
  ["A receiver ignores any other payload, an unknown kind", [], [
    encodeMsgpack({ k: "later", i: "a" }),
    encodeMsgpack({ i: "a" }),
  ]],
  ["it ignores unknown keys", [hello({ z: 1 }), state({ z: [{}] }), ack({ z: null })], []],
  ["An instance of more than 64 UTF-16 units is of the wrong type", [encodeMsgpack({ k: "goodbye", i: "i".repeat(64) })], [
    ...[OVER_64, "", 5, null].flatMap((i) => [hello({ i }), state({ i }), ack({ i }), encodeMsgpack({ k: "goodbye", i })]),
  ]],
  ["no extension types", [], [goodbyeWith(0xd4, 1, 0), goodbyeWith(0xd6, 0xff, 0, 0, 0, 0), goodbyeWith(0xc7, 1, 0x73, 0)]],
  ["no 32-bit lengths", [goodbyeWith(0xd9, 1, 65), goodbyeWith(0xdc, 0, 0)], [
    goodbyeWith(0xdb, 0, 0, 0, 1, 65),
    goodbyeWith(0xc6, 0, 0, 0, 1, 65),
    goodbyeWith(0xdd, 0, 0, 0, 0),
    goodbyeWith(0xdf, 0, 0, 0, 0),
  ]],
  ["no 64-bit integers", [goodbyeWith(0xcb, 0x41, 0xf0, 0, 0, 0, 0, 0, 0), goodbyeWith(0xce, 255, 255, 255, 255)], [
    goodbyeWith(0xcf, 0, 0, 0, 1, 0, 0, 0, 0),
    goodbyeWith(0xd3, 0, 0, 0, 1, 0, 0, 0, 0),
  ]],
  ["no more than 8 levels of arrays and maps", [goodbyeWith(...Array<number>(6).fill(0x91), 0x90)], [
    goodbyeWith(...Array<number>(7).fill(0x91), 0x90),
    goodbyeWith(...Array<number>(8).fill(0x91), 0),
    goodbyeWith(...Array<number>(7).fill(0x91), 0x80),
  ]],
  ["no bytes after the value", [hello({})], [raw(hello({}), 0), raw(hello({}), hello({})), raw(state({}), 0xc0)]],
  ["15,000 bytes in all", [hello({ z: "z".repeat(14_900) })], [hello({ z: "z".repeat(15_000) })]],
  [
    "`w` | count, 60,000 at least",
    [hello({ w: 2 ** 53 - 1 })],
    [59_999, -1, 60_000.5, BEYOND, "60000", null].map((w) => hello({ w })),
  ],
  ["`m` | count, 60,000 at least", [hello({ m: 2 ** 53 - 1 })], [59_999, BEYOND, Infinity, null].map((m) => hello({ m }))],
  ["−1, and any below 0: never", [hello({ t: -1 }), hello({ t: -5.5 }), hello({ t: 0.5 })], [
    hello({ t: NaN }),
    hello({ t: "1" }),
  ]],
  [
    "list of texts, nothing else in it",
    [hello({ e: [] }), hello({ e: ["raw", "later"] })],
    [[5], ["raw", 5], [null], [[]], "raw", null]
      .map((e) => hello({ e })),
  ],
  ["`a` | true or false", [hello({ a: false })], [hello({ a: 1 }), hello({ a: null })]],
  [
    "count, optional | streams that may be opened to it",
    [hello({ n: 0 })],
    [-1, 0.5, BEYOND, null, "1"].map((n) => hello({ n })),
  ],
  ["`m` | count | shared credit", [state({ m: 2 ** 53 - 1 })], [-1, 0.5, BEYOND, null].map((m) => state({ m }))],
  ["All of a packet's rows are in order, or none counts", [receiving(), sending()], [
    state({ r: [[0, 1, 100, 50, 50, null, null, null], [0]] }),
    state({ s: [[0, null, null, null], 5] }),
    state({ r: {} }),
    state({ s: null }),
  ]],
  ["each has its columns with their types, and those after them are ignored", [
    state({ r: [[0, 1, 100, 50, 50, null, null, null, "later"]] }),
    state({ s: [[0, null, null, null, 5]] }),
  ], [receiving({}, 7), receiving({}, 5), receiving({}, 0), sending({}, 3), sending({}, 1)]],
  ["streams it receives from there, a list each", [], [state({ r: [{}] }), state({ r: [5] })]],
  [
    "0: not yet known; 1: there is a handler",
    [receiving({ 1: 0 }), receiving({ 1: 2 })],
    [3, -1, null, "1"].map((one) => receiving({ 1: one })),
  ],
  ["A *count* is an integer from 0 to 2⁵³ − 1", [0, 2, 3].map((at) => receiving({ [at]: 2 ** 53 - 1 })), [
    ...[0, 2, 3, 4].flatMap((at) => [-1, 1.5, BEYOND, Infinity, NaN, null, "1"].map((wrong) => receiving({ [at]: wrong }))),
    ...[-1, 1.5, BEYOND, NaN, null, "1"].map((wrong) => sending({ 0: wrong })),
    ...[-1, 1.5, BEYOND, NaN, "1"].map((wrong) => sending({ 1: wrong })),
    ...[-1, BEYOND, null].flatMap((wrong) => [ack({ a: [[wrong, 0]] }), ack({ a: [[0, wrong]] })]),
  ]],
  ["taken it, checked; not above the one before", [receiving({ 4: 50 })], [receiving({ 4: 51 })]],
  ["A row with another text is not in order", [receiving({ 5: "cancelled" }), sending({ 1: 5, 2: "aborted" })], [
    ...["later", "", 5, true].flatMap((code) => [receiving({ 5: code }), sending({ 1: 5, 2: code })]),
    sending({ 1: 5, 2: "done" }),
  ]],
  ['with `"done"` the digest, as in the trailer, and never null', [receiving({ 5: "done", 7: DIGEST })], [
    receiving({ 5: "done" }),
    receiving({ 5: "done", 7: 5 }),
    receiving({ 7: 5 }),
  ]],
  ["null or text | the reason the user gave", [receiving({ 5: "cancelled", 6: "why" }), sending({ 1: 5, 2: "aborted", 3: "" })], [
    receiving({ 6: 5 }),
    receiving({ 6: [] }),
    sending({ 3: 5 }),
  ]],
  ["it ended, or the receiver was left out, before it was whole; then 1 is not null", [], [sending({ 2: "aborted" })]],
  ["`[sequence number, chunks that have come without a gap]` each", [ack({ a: [[0, 5]] })], [
    ack({ a: [[0]] }),
    ack({ a: [5] }),
    ack({ a: {} }),
  ]],
]);

const OWN = { v: 1, i: "a", n: 0, f: "plain", c: false };
const HEADER = {
  streamId: "s",
  timestamp: 0,
  topic: "t",
  mimeType: "",
  attributes: {},
  content: { kind: "bytes", name: "" },
};
const TEXT = { ...HEADER, content: { kind: "text", attachedStreamIds: [] } };
const own = (change: object, header: object = HEADER): object => ({
  ...header,
  attributes: { millrace: JSON.stringify({ ...OWN, ...change }) },
});
const ownText = (text: string): object => ({ ...HEADER, attributes: { millrace: text } });
const base64 = (bytes: number): string => btoa("\0".repeat(bytes));

rules("header", decodeHeader as Decode, [
  ["A header with a field of the wrong type opens nothing", [HEADER, TEXT], [
    null,
    [],
    ...["streamId", "topic", "mimeType"].flatMap((name) => [5, null, undefined].map((wrong) => ({ ...HEADER, [name]: wrong }))),
    ...[null, [], { a: 5 }, "x"].map((attributes) => ({ ...HEADER, attributes })),
    ...[null, {}, { kind: "later" }, { kind: "bytes" }, { kind: "bytes", name: 5 }].map((content) => ({ ...HEADER, content })),
    ...[undefined, [5], "x", {}].map((attachedStreamIds) => ({ ...TEXT, content: { kind: "text", attachedStreamIds } })),
    { ...TEXT, content: { kind: "text", attachedStreamIds: [], replyToId: 5 } },
  ]],
  [
    "A *count* is an integer from 0 to 2⁵³ − 1",
    [{ ...HEADER, timestamp: 2 ** 53 - 1, totalSize: 2 ** 53 - 1 }],
    [-1, 0.5, BEYOND, NaN, "1"]
      .flatMap((wrong) => [{ ...HEADER, timestamp: wrong }, { ...HEADER, totalSize: wrong }, own({ n: wrong })]),
  ],
  ["An optional field is absent rather than null", [{ ...HEADER, totalSize: undefined }], [
    { ...HEADER, totalSize: null },
    { ...HEADER, senderIdentity: null },
    { ...TEXT, content: { kind: "text", attachedStreamIds: [], replyToId: null } },
    own({ t: null }),
    own({ x: null }),
    own({ d: null }),
  ]],
  ["No stream of a user may have that id: a header with it cannot be read", [], [{ ...HEADER, streamId: "millrace.control" }]],
  ["An attribute that is no such object, or of another version", [own({})], [
    ...["", "{", "[]", "null", "5", '"x"', "{}"].map(ownText),
    ...[{ v: 2 }, { v: "1" }, { c: 1 }, { c: null }, { f: "later" }, { f: null }, { t: 5 }, { d: 1 }].map((change) =>
      own(change)
    ),
  ]],
  [
    "text of 1 to 64 UTF-16 units | the sender's instance",
    [own({ i: "i".repeat(64) })],
    [OVER_64, "", 5, null].map((i) => own({ i })),
  ],
  ["Further keys are ignored", [own({ z: 1 })], []],
  ["of text the text itself, of bytes their base64", [
    own({ x: ["", DIGEST] }),
    own({ x: ["AAE=", DIGEST] }),
    own({ x: ["+/+/", DIGEST] }),
    own({ x: ["not base64", DIGEST] }, TEXT),
  ], []],
  ["Base64 is here, as everywhere in this document, that of RFC 4648, section 4, with padding and nothing beside it", [], [
    ..."AAE|AAF=|AA E=|AAE=\n|-_-_|=|A|AAE=AAE=|not base64|ÄÖÜ=".split("|").map((content) => own({ x: [content, DIGEST] })),
  ]],
  ["A content over 4,000 bytes", [
    own({ x: [base64(4_000), DIGEST] }),
    own({ x: ["x".repeat(4_000), DIGEST] }, TEXT),
    own({ x: ["ü".repeat(2_000), DIGEST] }, TEXT),
  ], [
    own({ x: [base64(4_001), DIGEST] }),
    own({ x: ["x".repeat(4_001), DIGEST] }, TEXT),
    own({ x: ["ü".repeat(2_001), DIGEST] }, TEXT),
  ]],
  ["or `x` in another format than `plain`", [], [own({ x: ["", DIGEST], f: "framed" })]],
  [
    "list of two texts, optional | the stream is whole in its header",
    [],
    [[], [""], ["", "", ""], ["", 5], {}, "xx"].map((x) => own({ x })),
  ],
]);

const END = { b: 5, k: 1, d: DIGEST };
const end = (change: object): object => ({ millrace: JSON.stringify({ ...END, ...change }) });

rules("trailer", ((attributes: unknown) => decodeTrailer(attributes)?.extension) as Decode, [
  ['A trailer without the attribute, or with an unreadable one, is "corrupt"', [end({})], [
    {},
    null,
    { a: 5 },
    ...["", "{", "[]", "null", "5"].map((text) => ({ millrace: text })),
  ]],
  ["`b` | count | plain bytes that were sent", [end({ b: 2 ** 53 - 1 })], [-1, 0.5, BEYOND, null, "5"].map((b) => end({ b }))],
  ["`k` | count | chunks that were sent", [end({ k: 0 })], [-1, 0.5, BEYOND, null, "5"].map((k) => end({ k }))],
  ["`d` | text | the stream's digest, in base64", [end({ d: "" })], [null, 5, undefined].map((d) => end({ d }))],
  ["`e` | text, optional | the sender ended the stream", [end({ e: "later" })], [null, 5, true].map((e) => end({ e }))],
]);

const SHA256 = new Uint8Array(32);
const frame = (...fields: unknown[]): Uint8Array => encodeMsgpack(fields);

rules("frame header", decodeFrameHeader as Decode, [
  ["a msgpack array of five", [frame(0, 5, "raw", SHA256, 5)], [
    frame(0, 5, "raw", SHA256),
    frame(0, 5, "raw", SHA256, 5, 0),
    encodeMsgpack({ offset: 0 }),
    raw(),
    raw(0xc0),
  ]],
  ["The header is one msgpack value, its *n* bytes and no more", [], [
    raw(frame(0, 5, "raw", SHA256, 5), 0),
    frame(0, 5, "raw", SHA256, 5).subarray(0, -1),
  ]],
  ["offset (count), length (count), encoding (text), digest (bin, 32), payload (count)", [
    frame(2 ** 53 - 1, 5, "raw", SHA256, 5),
  ], [
    ...[-1, 0.5, BEYOND, null, "0"].map((wrong) => frame(wrong, 5, "raw", SHA256, 5)),
    ...[-1, 0.5, BEYOND, null, "5"].map((wrong) => frame(0, wrong, "raw", SHA256, wrong)),
    frame(0, 5, "raw", new Uint8Array(31), 5),
    frame(0, 5, "raw", new Uint8Array(33), 5),
    frame(0, 5, "raw", "d".repeat(32), 5),
    frame(0, 5, "later", SHA256, 5),
    frame(0, 5, 5, SHA256, 5),
  ]],
  ["is the number of its plain bytes: 1 to 240,000", [frame(0, 240_000, "raw", SHA256, 240_000)], [
    frame(0, 0, "raw", SHA256, 0),
  ]],
  ["the plain bytes; `payload` equals `length`", [], [frame(0, 5, "raw", SHA256, 4), frame(0, 5, "raw", SHA256, 6)]],
  ["`payload` is 1 to `length` − 1", [frame(0, 5, "deflate-raw", SHA256, 4), frame(0, 5, "zstd", SHA256, 1)], [
    frame(0, 5, "deflate-raw", SHA256, 5),
    frame(0, 5, "zstd", SHA256, 0),
    frame(0, 5, "zstd", SHA256, 6),
  ]],
]);

test("decodeControl: codes that receivers or senders do not have count as cancelled and aborted", () => {
  const told = (bytes: Uint8Array): unknown => {
    const message = decodeControl(bytes);
    return message?.kind === "state" ? message.receiving[0]?.end ?? message.sending[0]?.end : undefined;
  };
  for (const code of ["refused", "too-large", "corrupt", "file-error", "cancelled", "worker-lost"]) {
    assert.is(told(receiving({ 5: code })), code);
    assert.is(told(sending({ 1: 5, 2: code })), "aborted");
  }
  for (const code of ["incomplete", "timeout", "disconnected"]) assert.is(told(sending({ 1: 5, 2: code })), code);
  for (const code of ["aborted", "invalid-argument", "handler-exists", "closed", "duplicate-stream", "transport"]) {
    assert.is(told(receiving({ 5: code })), "cancelled");
    assert.is(told(sending({ 1: 5, 2: code })), "aborted");
  }
});

test("encodeMsgpack: writes no uint64, whatever the count", () => {
  for (const count of [0, 255, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1]) {
    const bytes = encodeMsgpack([count]);
    assert.ok(bytes[1] !== 0xcf && bytes[1] !== 0xd3, `${count}`);
    if (count >= 2 ** 32) assert.is(bytes[1], 0xcb);
  }
});

test.run();

/** Text without line ends and list marks. */
function words(text: string): string {
  return text.replace(/\s+/g, " ");
}

function shown(input: unknown): string {
  return input instanceof Uint8Array
    ? [...input.subarray(0, 60)].map((byte) => byte.toString(16)).join(" ")
    : JSON.stringify(input)?.slice(0, 300);
}

function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}
