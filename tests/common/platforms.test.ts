// Both platforms do the same. The page's runs here too, as these runtimes have what it needs; tests/browser has it in a browser.
import { browserPlatform } from "../../common/platforms/browser.ts";
import { nodePlatform } from "../../common/platforms/node.ts";
import { installPlatform, type Platform } from "../../common/platform.ts";
import * as assert from "uvu/assert";
import fc from "fast-check";
import { suite } from "../support/harness.ts";

installPlatform(nodePlatform); // the import of the page's installed that one

const PLATFORMS: readonly (readonly [string, Platform])[] = [["node", nodePlatform], ["browser", browserPlatform]];

/** Values of the wire: plain data with lengths of at most 16 bits. */
const wireValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, -1, 31, -32, -33, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -(2 ** 31)),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 10 }), tie("value"), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;

const test = suite("platforms");

for (const [name, platform] of PLATFORMS) {
  test(`Platform.createSha256 on ${name}: gives the known digest of "abc", whole and in parts`, () => {
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for (const parts of [["abc"], ["a", "", "bc"]]) {
      const hash = platform.createSha256();
      for (const part of parts) hash.update(new TextEncoder().encode(part));
      assert.is([...hash.digest()].map((byte) => byte.toString(16).padStart(2, "0")).join(""), digest);
    }
  });

  test(`Platform.randomId on ${name}: makes UUIDs of version 4, each another`, () => {
    const ids = Array.from({ length: 1_000 }, () => platform.randomId());
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.is(new Set(ids).size, ids.length);
  });

  test(`Platform.encodeUtf8 on ${name}: fills private and shared memory alike`, () => {
    for (const memory of [new ArrayBuffer(8), new SharedArrayBuffer(8)]) {
      const into = new Uint8Array(memory, 1, 6);
      assert.equal({ ...platform.encodeUtf8("aé🌍b", into) }, { read: 2, written: 3 });
      assert.equal([...new Uint8Array(memory)], [0, 0x61, 0xc3, 0xa9, 0, 0, 0, 0]);
      assert.is(platform.decodeUtf8(into.subarray(0, 3)), "aé");
    }
  });

  test(`Platform.decodeUtf8 on ${name}: keeps a byte order mark, and replaces invalid bytes`, () => {
    assert.is(platform.decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff)), "\uFEFFa\uFFFD");
  });
}

test("Platform.encodeBase64, decodeBase64: both platforms agree on any bytes, and on texts that are no base64", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
    const text = nodePlatform.encodeBase64(bytes);
    assert.is(browserPlatform.encodeBase64(bytes), text);
    assert.equal([...browserPlatform.decodeBase64(text)], [...bytes]);
  }));
  for (const text of ["", "=", "a", "ab", "abc", "abcde", "a-_b", "a b\nc d", "ab==cd", "%%%%", "äöü", "ab=", "YQ=="]) {
    assert.equal([...browserPlatform.decodeBase64(text)], [...nodePlatform.decodeBase64(text)], text);
  }
});

test("Platform.utf8Length: both platforms agree on any text, lone surrogates included", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "\uD800", "\uDC00"), (text, lone) => {
    for (const given of [text + lone, lone + text]) assert.is(browserPlatform.utf8Length(given), nodePlatform.utf8Length(given));
  }));
});

test("Platform.packMsgpack, unpackMsgpack: each platform reads what the other writes", () => {
  const read = (platform: Platform, bytes: Uint8Array): unknown => platform.unpackMsgpack(bytes);
  fc.assert(
    fc.property(wireValue, (value) => {
      const [byNode, byBrowser] = [nodePlatform.packMsgpack(value), browserPlatform.packMsgpack(value)];
      const expected = read(nodePlatform, byNode);
      for (const bytes of [byNode, byBrowser]) {
        for (const [, platform] of PLATFORMS) assert.equal(read(platform, bytes), expected);
      }
    }),
    { numRuns: 500 },
  );
});

test.run();
