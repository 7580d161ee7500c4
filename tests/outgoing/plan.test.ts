// planStream: the form of a stream follows from its options and its receivers alone.
import * as assert from "uvu/assert";
import {
  type MissingReceiver,
  type Opening,
  planStream,
  type PresentReceiver,
  type StreamOrigin,
} from "../../actors/outgoing/plan.ts";
import type { OutgoingSpec } from "../../actors/outgoing/plan.ts";
import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { CongestionController } from "../../protocol/flow/congestion.ts";
import { ConnectionSendWindow } from "../../protocol/flow/credit.ts";
import { DEFAULT_LIMITS } from "../../protocol/limits.ts";
import type { StreamOptions } from "../../protocol/options.ts";
import { WHOLE_BYTES } from "../../protocol/wire/inline_content.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("planStream");

/** A case, as difference from one large byte stream to one named Millrace runtime on a direct hub. */
interface Case {
  readonly options?: StreamOptions;
  readonly size?: number | undefined;
  readonly incremental?: boolean;
  readonly availableUpFront?: boolean;
  readonly mimeType?: string;
  readonly present?: readonly PresentReceiver[];
  readonly missing?: readonly MissingReceiver[];
  readonly sender?: Partial<StreamOrigin>;
}

function receiver(identity: string, { isMillrace = true, frameBytes = 250_000, encodings = ["zstd"] } = {}): PresentReceiver {
  const hello = isMillrace
    ? { kind: "hello" as const, instance: identity, streamWindow: 1, credit: 1, idleTimeout: 1, encodings, answer: false }
    : undefined;
  const session = {
    hello,
    streamWindow: 100_000,
    sendWindow: new ConnectionSendWindow(),
    congestion: new CongestionController(),
    frameBytes,
  };
  return { identity, isMillrace, session };
}

function plan(one: Case): OutgoingSpec {
  const { options = { destinationIdentities: ["bob"] }, incremental = false, availableUpFront = false } = one;
  const size = "size" in one ? one.size : 1_000_000;
  const info = { streamId: "s", topic: "t", mimeType: one.mimeType ?? "x/y", timestamp: 1, attributes: {}, name: "" };
  const opening: Opening = {
    description: { kind: "bytes", info: size === undefined ? info : { ...info, size } },
    options,
    incremental,
    availableUpFront,
    confirm: true,
  };
  const sender = { instance: "i", sequence: 7, limits: DEFAULT_LIMITS, isPaced: false, hasUnlisted: false, encodings: ["zstd"] };
  return planStream(opening, one.present ?? [receiver("bob")], one.missing ?? [], { ...sender, ...one.sender });
}

const sdk = receiver("sdk", { isMillrace: false });
const many = (count: number): PresentReceiver[] => Array.from({ length: count }, (_, at) => receiver(`r${at}`));
const BROADCAST = { options: {} };

for (
  const [name, one, expected] of [
    ["to a Millrace runtime by name: framed, named", {}, "framed named"],
    ["of one chunk: plain", { size: STREAM_CHUNK_SIZE }, "plain named"],
    ["of one byte more than a chunk: framed", { size: STREAM_CHUNK_SIZE + 1 }, "framed named"],
    ["of unknown size: framed", { size: undefined }, "framed named"],
    ["whose parts go as they are written: plain", { incremental: true }, "plain named"],
    ["to another SDK: plain, without our extension", { present: [sdk] }, "foreign named"],
    ["to both kinds: plain, with our extension", { present: [receiver("bob"), sdk] }, "plain named"],
    ["to nobody: plain, without our extension", { present: [] }, "foreign named"],
    ["to all of 32 runtimes: framed, named", { ...BROADCAST, present: many(32) }, "framed named"],
    ["to all of 33 runtimes: plain, to everybody", { ...BROADCAST, present: many(33) }, "plain everybody"],
    ["to 33 runtimes by name: framed, named", { options: { destinationIdentities: ["x"] }, present: many(33) }, "framed named"],
    ["to all, one of another SDK: plain, to everybody", { ...BROADCAST, present: [receiver("bob"), sdk] }, "plain everybody"],
    ["to all where some may be hidden: plain, to everybody", { ...BROADCAST, sender: { hasUnlisted: true } }, "plain everybody"],
  ] as const satisfies readonly (readonly [string, Case, string])[]
) {
  test(`planStream: a stream ${name}`, () => {
    const { extension, destinations } = plan(one);
    assert.is(`${extension?.format ?? "foreign"} ${destinations.names === undefined ? "everybody" : "named"}`, expected);
  });
}

test("planStream: short content available up front goes in the header, if all receivers read that", () => {
  const short = { availableUpFront: true, size: WHOLE_BYTES };
  assert.is(plan(short).inline, true);
  assert.is(plan({ ...short, size: WHOLE_BYTES + 1 }).inline, false);
  assert.is(plan({ ...short, size: undefined }).inline, false);
  assert.is(plan({ ...short, availableUpFront: false }).inline, false);
  assert.is(plan({ ...short, present: [receiver("bob"), sdk] }).inline, false);
  assert.is(plan({ ...short, present: [] }).inline, false);
});

test("planStream: frames are compressed as requested, or on paced transports unless the type is compressed already", () => {
  const paced = { sender: { isPaced: true } };
  const asked = (compress: boolean): Case => ({ options: { destinationIdentities: ["bob"], compress } });
  assert.is(plan({}).compression, undefined);
  assert.equal(plan(paced).compression, { encoding: "zstd", sample: true });
  assert.is(plan({ ...paced, mimeType: "image/png" }).compression, undefined);
  assert.is(plan({ ...paced, ...asked(false) }).compression, undefined);
  assert.equal(plan(asked(true)).compression, { encoding: "zstd", sample: false });
  assert.is(plan({ ...asked(true), present: [receiver("bob", { encodings: [] })] }).compression, undefined);
  assert.is(plan({ ...asked(true), size: 10 }).compression, undefined, "it is not framed");
});

test("planStream: a frame fits the smallest receive window, and a segment", () => {
  const present = [receiver("a", { frameBytes: 50_000 }), receiver("b", { frameBytes: 20_000 })];
  assert.is(plan({ present }).frameBytes, 20_000);
  assert.is(plan({ present: [receiver("a", { frameBytes: 1e9 })] }).frameBytes, 16 * STREAM_CHUNK_SIZE);
});

test("planStream: bulk streams take turns on paced transports, and count chunks in flight", () => {
  const inFlight = ({ destinations }: OutgoingSpec): boolean => destinations.find("bob")?.inFlight !== undefined;
  assert.equal([plan({}).bulk, inFlight(plan({}))], [false, false]);
  const paced = plan({ sender: { isPaced: true } });
  assert.equal([paced.bulk, inFlight(paced)], [true, true]);
});

test("planStream: missing receivers have their outcome from the start", () => {
  const missing = [{ identity: "carol", outcome: "disconnected" }, { identity: "dave", outcome: "timeout" }] as const;
  const { destinations } = plan({ missing });
  assert.equal(["bob", "carol", "dave"].map((one) => destinations.find(one)?.outcome), [undefined, "disconnected", "timeout"]);
});

test("planStream: a header over the limits is invalid", async () => {
  const attributes = { a: "x".repeat(DEFAULT_LIMITS.attributeBytes + 1) };
  const info = { streamId: "s", topic: "t", mimeType: "x/y", timestamp: 1, attributes, name: "" };
  const opening: Opening = { description: { kind: "bytes", info }, options: {}, incremental: false, confirm: false };
  const sender = { instance: "i", sequence: 7, limits: DEFAULT_LIMITS, isPaced: false, hasUnlisted: false, encodings: [] };
  await rejection(() => planStream(opening, [], [], sender), "invalid-argument");
});

test.run();
