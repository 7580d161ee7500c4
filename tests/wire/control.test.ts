import fc from "fast-check";
import * as assert from "uvu/assert";
import { STREAM_ERROR_CODES } from "../../errors.ts";
import { LEAST_WINDOW } from "../../protocol/constants.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
  REASON_LENGTH,
  receiverCode,
  senderCode,
} from "../../protocol/wire/control.ts";
import { decodeMsgpack, encodeMsgpack } from "../../protocol/wire/msgpack.ts";
import { suite } from "../support/harness.ts";

const test = suite("control messages");

const count = fc.maxSafeNat();
const window = fc.integer({ min: LEAST_WINDOW, max: Number.MAX_SAFE_INTEGER });
const instance = fc.string({ minLength: 1, maxLength: 64 }).filter((text) => text !== "");
const reason = fc.string({ maxLength: REASON_LENGTH });
const fromReceiver = fc.constantFrom(...STREAM_ERROR_CODES.filter((code) => receiverCode(code) === code));
const fromSender = fc.constantFrom(...STREAM_ERROR_CODES.filter((code) => senderCode(code) === code));
const plain = { noNullPrototype: true } as const;

const message: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("hello" as const),
    instance,
    streamWindow: window,
    credit: window,
    idleTimeout: fc.oneof(count, fc.constant(Infinity)),
    streams: count,
    encodings: fc.array(fc.string(), { maxLength: 4 }),
    answer: fc.boolean(),
  }, { ...plain, requiredKeys: ["kind", "instance", "streamWindow", "credit", "idleTimeout", "encodings", "answer"] }),
  fc.record({ kind: fc.constant("goodbye" as const), instance }, plain),
  fc.record({
    kind: fc.constant("state" as const),
    instance,
    about: instance,
    credit: count,
    streams: count,
    opened: count,
    waiting: count,
    receiving: fc.array(
      fc.tuple(
        fc.record(
          {
            sequence: count,
            claim: fc.constantFrom("pending" as const, "claimed" as const, "unclaimed" as const),
            credit: count,
            received: count,
            taken: fc.constant(0),
            reason,
          },
          { ...plain, requiredKeys: ["sequence", "claim", "credit", "received", "taken"] },
        ),
        fc.oneof(
          fc.constant({}),
          fc.record({ end: fromReceiver }, plain),
          fc.record({ end: fc.constant("done" as const), digest: fc.base64String() }, plain),
        ),
      ).map(([row, end]) => ({ ...row, ...end })),
      { maxLength: 20 },
    ),
    sending: fc.array(
      fc.oneof(
        fc.record({ sequence: count, final: count, reason }, { ...plain, requiredKeys: ["sequence"] }),
        fc.record({ sequence: count, final: count, end: fromSender, reason }, plain),
      ),
      { maxLength: 20 },
    ),
  }, { ...plain, requiredKeys: ["kind", "instance", "about", "credit", "receiving", "sending"] }),
);

test("law: decodeControl reads every message of encodeControl", () => {
  fc.assert(fc.property(message, (value) => assert.equal(decodeControl(encodeControl(value)), value)), { numRuns: 500 });
});

test("law: decodeControl never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeControl(bytes)), { numRuns: 2_000 });
});

test("decodeControl: unknown kinds and fields are ignored", () => {
  assert.is(decodeControl(encodeMsgpack({ k: "later", i: "x" })), undefined);
  assert.equal(decodeControl(encodeMsgpack({ k: "goodbye", i: "x", later: [1, { a: 2 }] })), { kind: "goodbye", instance: "x" });
});

test("decodeControl: invalid messages are undefined", () => {
  const hello = { k: "hello", v: 1, i: "x", w: LEAST_WINDOW, m: LEAST_WINDOW, t: 1, e: [], a: true };
  assert.ok(decodeControl(encodeMsgpack(hello)));
  const wrong = [
    { v: 2 },
    { i: "" },
    { i: "x".repeat(65) },
    { w: LEAST_WINDOW - 1 },
    { m: 0 },
    { w: 1.5 },
    { t: "1" },
    { t: NaN },
    { e: 1 },
    { a: 0 },
  ];
  for (const change of wrong) assert.is(decodeControl(encodeMsgpack({ ...hello, ...change })), undefined, JSON.stringify(change));
  const row = [0, 1, 100, 50, 50, null, null, null];
  const state = (receiving: unknown): Uint8Array => encodeMsgpack({ k: "state", i: "x", p: "y", m: 0, r: [receiving], s: [] });
  assert.ok(decodeControl(state(row)));
  for (const [at, value] of [[0, -1], [1, 3], [1, "length"], [2, NaN], [3, 49], [4, 51], [5, "later"], [5, 1]] as const) {
    assert.is(decodeControl(state(row.map((old, i) => i === at ? value : old))), undefined, `${at}: ${value}`);
  }
  assert.is(decodeControl(state([0, 1])), undefined);
});

test("encodeControl, decodeControl: both cut a reason to its limit", () => {
  const reason = "r".repeat(5_000);
  const row = { sequence: 1, claim: "claimed", credit: 0, received: 0, taken: 0, end: "cancelled", reason } as const;
  const said = encodeControl({
    kind: "state",
    instance: "x",
    about: "y",
    credit: 0,
    receiving: [row],
    sending: [{ sequence: 1, final: 0, end: "aborted", reason }],
  });
  assert.ok(said.length < 600, `${said.length} bytes`);
  const told = decodeControl(encodeMsgpack({
    k: "state",
    i: "x",
    p: "y",
    m: 0,
    r: [[1, 1, 0, 0, 0, "cancelled", reason, null]],
    s: [[1, 0, "aborted", reason]],
  }));
  for (const message of [decodeControl(said), told]) {
    assert.ok(message?.kind === "state");
    assert.equal([message.receiving[0]?.reason?.length, message.sending[0]?.reason?.length], [REASON_LENGTH, REASON_LENGTH]);
  }
});

test("decodeControl: never is −1 on the wire, as is any negative time; 0 is a time", () => {
  const hello = {
    kind: "hello",
    instance: "x",
    streamWindow: LEAST_WINDOW,
    credit: LEAST_WINDOW,
    idleTimeout: Infinity,
    encodings: [],
    answer: false,
  } as const;
  assert.is((decodeMsgpack(encodeControl(hello)) as { t: number }).t, -1);
  const timeOf = (t: number): unknown => {
    const message = decodeControl(encodeMsgpack({ ...decodeMsgpack(encodeControl(hello)) as object, t }));
    return message?.kind === "hello" ? message.idleTimeout : undefined;
  };
  assert.equal([-1, -0.5, 0, 0.5, 30_000].map(timeOf), [Infinity, Infinity, 0, 0.5, 30_000]);
});

test.run();
