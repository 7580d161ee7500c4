import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  decodeHeader,
  decodeTrailer,
  encodeHeader,
  encodeTrailer,
  headerBytes,
  type HeaderFacts,
  overLimits,
  OWN_ATTRIBUTE,
  OWN_TOPIC,
  type StreamDescription,
} from "../protocol/header.ts";
import { resolveLimits } from "../protocol/limits.ts";
import { suite } from "./harness.ts";

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
const facts: fc.Arbitrary<HeaderFacts> = fc.record({
  instance: fc.string({ minLength: 1 }),
  sequence: fc.maxSafeNat(),
  format: fc.constantFrom("plain" as const, "framed" as const),
  confirm: fc.boolean(),
}, plain);

test("law: a stream's description comes out as it went in, and what is ours is not seen", () => {
  fc.assert(fc.property(description, fc.option(facts, { nil: undefined }), fc.boolean(), (stream, own, hidden) => {
    const said = own === undefined ? undefined : { ...own, ...(hidden ? { topic: stream.info.topic } : {}) };
    const header = encodeHeader(stream, said, undefined);
    assert.is(header.topic, said !== undefined && hidden ? OWN_TOPIC : stream.info.topic);
    const opened = decodeHeader(header);
    assert.equal(opened?.description, stream);
    assert.equal(opened?.facts, said);
  }));
});

test("law: its size is that of its texts and more", () => {
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

test("law: nothing at all makes it throw", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    decodeHeader(value);
    decodeTrailer(value);
  }));
});

test("what is not in order is no header", () => {
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
  for (const change of [{ v: 2 }, { i: "" }, { n: -1 }, { f: "later" }, { c: 1 }, { t: 1 }]) {
    wrong.push({ attributes: { [OWN_ATTRIBUTE]: JSON.stringify({ ...own, ...change }) } });
  }
  wrong.push({ attributes: { [OWN_ATTRIBUTE]: "{" } }, { attributes: { [OWN_ATTRIBUTE]: "[]" } });
  for (const change of wrong) assert.is(decodeHeader({ ...good, ...change }), undefined, JSON.stringify(change));
});

test("law: a trailer comes out as it went in", () => {
  const own = fc.record({ bytes: fc.maxSafeNat(), chunks: fc.maxSafeNat(), digest: fc.base64String(), code: fc.string() }, {
    ...plain,
    requiredKeys: ["bytes", "chunks", "digest"],
  });
  fc.assert(fc.property(attributes, fc.option(own, { nil: undefined }), (visible, said) => {
    assert.equal(decodeTrailer(encodeTrailer(visible, said)), {
      attributes: visible,
      ...(said === undefined ? {} : { facts: said }),
    });
  }));
});

test.run();
