// Receipts of streams that are sent with `confirm`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextWhole } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { pause } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("receipts");

test("receipt: means that the reader has taken every byte", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    let sent = false;
    const sending = alice.sendBytes(pattern(100_000)).then((info) => {
      sent = true;
      return info;
    });
    const reader = await heard;
    await pause(30);
    assert.not.ok(sent);
    await reader.readAll();
    assert.equal((await sending).receipts, [{ identity: "bob", bytes: 100_000 }]);
  }));

test("confirm: is the default of sendFile and sendBytes, not of other calls", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      bob.registerTextStreamHandler("", async (reader) => void await reader.readAll());
      bob.registerByteStreamHandler("", async (reader) => void await reader.readAll());
      await writeFile(join(folder, "x"), "12345");
      const receipts = [{ identity: "bob", bytes: 5 }];
      assert.equal((await alice.sendFile(join(folder, "x"))).receipts, receipts);
      assert.equal((await alice.sendBytes(pattern(5))).receipts, receipts);
      assert.equal((await alice.sendText("12345", { confirm: true })).receipts, receipts);
      assert.is((await alice.sendText("12345")).receipts, undefined);
      assert.is((await alice.sendBytes(pattern(5), { confirm: false })).receipts, undefined);
      assert.is((await alice.sendFile(join(folder, "x"), { confirm: false })).receipts, undefined);
      const text = await alice.streamText();
      const confirmed = await alice.streamBytes({ confirm: true });
      await text.close();
      await confirmed.write(pattern(5));
      await confirmed.close();
      assert.is(text.info.receipts, undefined);
      assert.equal(confirmed.info.receipts, receipts);
    })
  ));

test("confirm: a broadcast waits for receivers with a handler", () =>
  inPair(async (alice, bob, room) => {
    await room.join("carol");
    room.raw("dave");
    const received = nextWhole(bob);
    const info = await alice.sendBytes(pattern(300_000));
    assert.equal(info.receipts, [{ identity: "bob", bytes: 300_000 }]);
    assert.equal(await received, pattern(300_000));
  }));

test("confirm: the call resolves with one good receipt, and rejects if all failed", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    const texts = collectTexts(bob);
    carol.registerTextStreamHandler("", async (reader) => await reader.cancel("no"));
    const info = await alice.sendText("hello", { confirm: true });
    const byName = (a: { identity: string }, b: { identity: string }): number => a.identity < b.identity ? -1 : 1;
    assert.equal(info.receipts?.sort(byName), [
      { identity: "bob", bytes: 5 },
      { identity: "carol", bytes: 0, error: "cancelled" },
    ]);
    assert.equal(texts, ["hello"]);
    const error = await rejection(
      () => alice.sendText("hello", { destinationIdentities: ["carol"], confirm: true }),
      "cancelled",
    );
    assert.is(error.identity, "carol");
    assert.is(error.reason, "no");
  }));

test("confirm: a receiver that leaves before its receipt is disconnected", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    const received = nextWhole(bob);
    const held = nextBytes(carol);
    const sending = alice.sendBytes(pattern(1_000));
    await held;
    await received;
    await carol.close();
    const { receipts = [] } = await sending;
    assert.is(receipts.find(({ identity }) => identity === "carol")?.error, "disconnected");
    assert.is(receipts.find(({ identity }) => identity === "bob")?.error, undefined);
  }));

test.run();
