import { OWN_ATTRIBUTE, OWN_TOPIC } from "../../protocol/constants.ts";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { decodeTrailer, encodeTrailer, type HeaderExtension } from "../../protocol/wire/extension.ts";
import { decodeHeader, encodeHeader, isBulk, type StreamDescription } from "../../protocol/wire/header.ts";
import { headerBytes, overLimits } from "../../protocol/wire/header_limits.ts";
import { resolveLimits } from "../../protocol/limits.ts";
import type { StreamHeader } from "../../protocol/wire/packets.ts";
import { suite } from "../support/harness.ts";

const test = suite("header");

const plain = { noNullPrototype: true } as const;
const attributes = fc.dictionary(fc.string().filter((key) => key !== OWN_ATTRIBUTE && key !== "__proto__"), fc.string(), plain);
const base = {
  streamId: fc.string(),
  mimeType: fc.string(),
  topic: fc.string(),
  timestamp: fc.maxSafeNat(),
  size: fc.maxSafeNat(),
  attributes,
};
const always = ["streamId", "mimeType", "topic", "timestamp", "attributes"] as const;
const description: fc.Arbitrary<StreamDescription> = fc.oneof(
  fc.record({
    kind: fc.constant("bytes" as const),
    info: fc.record({ ...base, name: fc.string() }, { ...plain, requiredKeys: [...always, "name"] }),
  }, plain),
  fc.record({
    kind: fc.constant("text" as const),
    info: fc.record({ ...base, attachments: fc.array(fc.string()), replyToId: fc.string({ minLength: 1 }) }, {
      ...plain,
      requiredKeys: [...always, "attachments"],
    }),
  }, plain),
);
const extension: fc.Arbitrary<HeaderExtension> = fc.record({
  instance: fc.string({ minLength: 1 }),
  sequence: fc.maxSafeNat(),
  format: fc.constantFrom("plain" as const, "framed" as const),
  confirm: fc.boolean(),
  urgent: fc.boolean(),
}, plain);

test("law: decodeHeader reads every encodeHeader, and hides Millrace's own attribute", () => {
  fc.assert(fc.property(description, fc.option(extension, { nil: undefined }), fc.boolean(), (stream, own, hidden) => {
    const said = own === undefined ? undefined : { ...own, ...(hidden ? { topic: stream.info.topic } : {}) };
    const header = encodeHeader(stream, said, undefined);
    assert.is(header.topic, said !== undefined && hidden ? OWN_TOPIC : stream.info.topic);
    const opened = decodeHeader(header);
    assert.equal(opened?.description, stream);
    assert.equal(opened?.extension, said);
  }));
});

test("law: headerBytes is that of its texts and more", () => {
  fc.assert(fc.property(description, (stream) => {
    const header = encodeHeader(stream, undefined, undefined);
    const bytes = headerBytes(header);
    assert.ok(bytes >= new TextEncoder().encode(header.streamId + header.topic + header.mimeType).length);
    assert.is(
      overLimits(
        header,
        resolveLimits({ attributes: Infinity, attributeBytes: Infinity, nameBytes: Infinity, headerBytes: bytes }),
      ),
      undefined,
    );
    assert.ok(
      overLimits(
        header,
        resolveLimits({ attributes: Infinity, attributeBytes: Infinity, nameBytes: Infinity, headerBytes: bytes - 1 }),
      ),
    );
  }));
});

test("law: decodeHeader never throws", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    decodeHeader(value);
    decodeTrailer(value);
  }));
});

test("decodeHeader: invalid headers are undefined", () => {
  const good = encodeHeader(
    { kind: "bytes", info: { streamId: "s", mimeType: "", topic: "", timestamp: 0, attributes: {}, name: "" } },
    { instance: "i", sequence: 0, format: "plain", confirm: false },
    "alice",
  );
  assert.is(decodeHeader(good)?.senderIdentity, "alice");
  const own = JSON.parse(good.attributes[OWN_ATTRIBUTE] ?? "") as object;
  const wrong: object[] = [{ streamId: 1 }, { timestamp: -1 }, { totalSize: 0.5 }, { attributes: { a: 1 } }, {
    senderIdentity: 1,
  }, { content: { kind: "later" } }];
  for (const change of [{ v: 2 }, { i: "" }, { n: -1 }, { f: "later" }, { c: 1 }, { d: 1 }, { u: 1 }, { t: 1 }]) {
    wrong.push({ attributes: { [OWN_ATTRIBUTE]: JSON.stringify({ ...own, ...change }) } });
  }
  wrong.push({ attributes: { [OWN_ATTRIBUTE]: "{" } }, { attributes: { [OWN_ATTRIBUTE]: "[]" } });
  for (const change of wrong) assert.is(decodeHeader({ ...good, ...change }), undefined, JSON.stringify(change));
});

test("isBulk: an open byte stream is, unless its sender said that it is urgent", () => {
  const info = { streamId: "s", mimeType: "", topic: "", timestamp: 0, attributes: {}, name: "" };
  for (const format of ["plain", "framed"] as const) {
    assert.ok(isBulk({ kind: "bytes", info }, { format }));
    assert.not.ok(isBulk({ kind: "bytes", info }, { format, urgent: true }));
  }
});

test("decodeHeader: an empty senderIdentity or replyToId counts as absent", () => {
  const info = { streamId: "s", mimeType: "", topic: "", timestamp: 0, attributes: {}, attachments: [], replyToId: "" };
  const opened = decodeHeader(encodeHeader({ kind: "text", info }, undefined, ""));
  assert.is(opened?.senderIdentity, undefined);
  assert.ok(opened !== undefined && !("replyToId" in opened.description.info));
});

test("law: headerBytes is the size of LiveKit's encoding", () => {
  const text = fc.string({ maxLength: 300 });
  const attributes = fc.dictionary(text, text, { ...plain, maxKeys: 5 });
  fc.assert(
    fc.property(text, text, text, attributes, fc.array(text, { maxLength: 3 }), (streamId, topic, name, pairs, attached) => {
      const info = { streamId, topic, mimeType: topic, timestamp: Number.MAX_SAFE_INTEGER, size: 2 ** 40, attributes: pairs };
      for (
        const header of [
          encodeHeader({ kind: "bytes", info: { ...info, name } }, undefined, name),
          encodeHeader({ kind: "text", info: { ...info, attachments: attached, replyToId: name } }, undefined, name),
        ]
      ) {
        assert.is(headerBytes(header), encodedBytes(header));
      }
    }),
  );
});

test("headerBytes: counts many long attributes in full", () => {
  const attributes = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${i}`.padStart(130, "k"), "v".repeat(130)]));
  const info = { streamId: "", mimeType: "", topic: "", timestamp: 0, attributes, name: "" };
  const header = encodeHeader({ kind: "bytes", info }, undefined, undefined);
  assert.is(headerBytes(header), encodedBytes(header));
});

/** A field of a protobuf message: a tag of one byte, the length, the bytes. */
function fieldBytes(bytes: number): number {
  let length = 1;
  for (let rest = bytes; rest > 127; rest >>= 7) length++;
  return 1 + length + bytes;
}

/** Size of a header as LiveKit's DataStream.Header. Protobuf leaves out empty texts and zeros, except in lists and maps. */
function encodedBytes(header: StreamHeader): number {
  const always = (text: string): number => fieldBytes(new TextEncoder().encode(text).length);
  const of = (text: string): number => text === "" ? 0 : always(text);
  const number = (value: number): number => value === 0 ? 0 : 1 + Math.ceil(value.toString(2).length / 7);
  let bytes = of(header.streamId) + of(header.topic) + of(header.mimeType) + of(header.senderIdentity ?? "");
  bytes += number(header.timestamp) + number(header.totalSize ?? 0);
  for (const [key, value] of Object.entries(header.attributes)) bytes += fieldBytes(always(key) + always(value));
  const { content } = header;
  if (content.kind === "bytes") return bytes + fieldBytes(of(content.name));
  let inner = of(content.replyToId ?? "");
  for (const id of content.attachedStreamIds) inner += always(id);
  return bytes + fieldBytes(inner);
}

test("law: decodeTrailer reads every encodeTrailer", () => {
  const own = fc.record({ bytes: fc.maxSafeNat(), chunks: fc.maxSafeNat(), digest: fc.base64String(), code: fc.string() }, {
    ...plain,
    requiredKeys: ["bytes", "chunks", "digest"],
  });
  fc.assert(fc.property(attributes, fc.option(own, { nil: undefined }), (visible, said) => {
    assert.equal(decodeTrailer(encodeTrailer(visible, said)), {
      attributes: visible,
      ...(said === undefined ? {} : { extension: said }),
    });
  }));
});

test.run();
