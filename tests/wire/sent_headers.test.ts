// Limits of attributes and names, at the sender.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("sent headers");

test("limits: attributes and names over them reject at the sender; exactly at them they pass", () =>
  inPair(async (alice, bob) => {
    const seen: string[] = [];
    bob.registerTextStreamHandler("", async (reader) => {
      seen.push(`${Object.keys(reader.info.attributes).length} attributes`);
      await reader.readAll();
    });
    bob.registerByteStreamHandler("", async (reader) => {
      seen.push(`${reader.info.name.length} units of name`);
      await reader.readAll();
    });
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`key ${i}`, "x"]));
    await alice.sendText("x", { attributes: many(64), confirm: true });
    await rejection(() => alice.sendText("x", { attributes: many(65) }), "invalid-argument");
    await alice.sendText("x", { attributes: { ab: "x".repeat(7_998) }, confirm: true });
    await rejection(() => alice.sendText("x", { attributes: { ab: "x".repeat(7_999) } }), "invalid-argument");
    await alice.sendBytes(pattern(1), { name: "ä".repeat(100) });
    await rejection(() => alice.sendBytes(pattern(1), { name: `${"ä".repeat(100)}x` }), "invalid-argument");
    await rejection(() => alice.streamBytes({ name: "x".repeat(201) }), "invalid-argument");
    await rejection(() => alice.streamText({ topic: "x".repeat(20_000) }), "invalid-argument");
    await rejection(() => alice.streamText({ streamId: "x".repeat(20_000) }), "invalid-argument");
    await rejection(() => alice.streamText({ attributes: { millrace: "mine" } }), "invalid-argument");
    assert.equal(seen, ["64 attributes", "1 attributes", "100 units of name"]);
  }, { runtime: { limits: { attributes: 64, attributeBytes: 8_000, nameBytes: 200 } } }));

test("headerBytes: by default, whatever fits into a header passes, and nothing else", () =>
  inPair(async (alice, bob) => {
    const seen: number[] = [];
    bob.registerByteStreamHandler("", async (reader) => {
      seen.push(reader.info.name.length + Object.keys(reader.info.attributes).length);
      await reader.readAll();
    });
    await alice.sendBytes(pattern(1), { name: "n".repeat(14_500) });
    await rejection(() => alice.sendBytes(pattern(1), { name: "n".repeat(15_000) }), "invalid-argument");
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`, ""]));
    await alice.sendBytes(pattern(1), { attributes: many(1_400) });
    await rejection(() => alice.sendBytes(pattern(1), { attributes: many(2_400) }), "invalid-argument");
    assert.equal(seen, [14_500, 1_400]);
  }));

test.run();
