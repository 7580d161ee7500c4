// examine() and answerDoctor(): latency, loss, clock offset, versions and throughput between two runtimes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { answerDoctor, examine } from "../../diagnostics/mod.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { root } from "../support/sources.ts";

const test = suite("examine");

const SHORT = { pings: 10, seconds: 0.1 };

test("examine(): tells versions, latency, clock offset, and throughput each way", async () => {
  await inPair(async (alice, bob) => {
    const end = answerDoctor(bob);
    const found = await examine(alice, "bob", SHORT);
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    assert.equal([found.here.millrace, found.there.millrace], [version, version]);
    assert.match(found.there.platform, /^(node|bun|deno) \d+\.\d+\.\d+, \w+ \w+$/);
    const { least, p50, p95 } = found.latency;
    assert.ok(least > 0 && least <= p50 && p50 <= p95 && p95 < 3_000, JSON.stringify(found.latency));
    assert.equal([found.pings, found.lost], [10, 0]);
    assert.ok(Math.abs(found.clockOffset) < 1_000, `${found.clockOffset} ms`);
    assert.ok((found.throughputThere ?? 0) > 100_000 && (found.throughputHere ?? 0) > 100_000, JSON.stringify(found));
    assert.equal(JSON.parse(JSON.stringify(found)), found);
    await examine(alice, "bob", { pings: 1, seconds: 0 });
    end();
  });
});

test("examine(): on a line, latency is that of the line, and throughput its rate", async () => {
  await inPair(async (alice, bob) => {
    answerDoctor(bob);
    const { latency, throughputThere = 0, throughputHere = 0 } = await examine(alice, "bob", { pings: 10, seconds: 0.5 });
    assert.ok(latency.least >= 40 && latency.p50 < 500, JSON.stringify(latency));
    for (const rate of [throughputThere, throughputHere]) assert.ok(rate > 200_000 && rate < 2_500_000, `${rate} B/s`);
  }, { clock: "real", hub: { link: { kind: "reliable", delay: 20, rate: 2_000_000 } } });
});

test("examine(): on a slow line, what still waits at the sender does not prolong it", async () => {
  await inPair(async (alice, bob) => {
    answerDoctor(bob);
    const started = performance.now();
    const { throughputThere = 0, throughputHere = 0 } = await examine(alice, "bob", { pings: 1, seconds: 0.8 });
    for (const rate of [throughputThere, throughputHere]) assert.ok(rate > 75_000 && rate < 200_000, `${rate} B/s`);
    const took = performance.now() - started; // sending all that a writer takes meanwhile would take 28 s
    assert.ok(took < 15_000, `${took} ms`);
  }, { clock: "real", hub: { link: { kind: "reliable", delay: 20, rate: 150_000 } } });
}, { seconds: 60 });

test("examine(): a participant without answerDoctor is a timeout, an absent one is disconnected", async () => {
  await inPair(async (alice, bob) => {
    bob.registerTextStreamHandler("other", () => {});
    assert.match(
      await failure(examine(alice, "bob", SHORT)),
      /^timeout: Cannot examine the line as "bob" does not answer: it must call answerDoctor/,
    );
    assert.match(await failure(examine(alice, "nobody", SHORT)), /^disconnected: /);
  });
});

test("examine(): a signal ends it, wrong options and a second one at a time are refused", async () => {
  await inPair(async (alice, bob) => {
    answerDoctor(bob);
    const controller = new AbortController();
    const running = examine(alice, "bob", { pings: 1_000, signal: controller.signal });
    const second = failure(examine(alice, "bob"));
    assert.match(await second, /^handler-exists: /);
    controller.abort();
    assert.match(await failure(running), /^aborted: /);
    for (const wrong of [{ pings: 0 }, { pings: 1.5 }, { seconds: -1 }, { seconds: 11 }, { second: 1 }, 5]) {
      assert.match(await failure(examine(alice, "bob", wrong as object)), /^invalid-argument: Cannot examine the line as /);
    }
    await examine(alice, "bob", { pings: 1, seconds: 0 });
    assert.throws(() => answerDoctor(bob), /handler/);
  });
});

test("answerDoctor(): what is no question gets no answer, and ends nothing", async () => {
  await inPair(async (alice, bob) => {
    answerDoctor(bob);
    const to = { topic: "millrace.doctor", destinationIdentities: ["bob"], confirm: true };
    for (const text of ["", "{}", "null", '{"ask":"bytes","seconds":1e9}', '{"ask":"files"}']) await alice.sendText(text, to);
    assert.match(await failure(alice.sendText("x".repeat(1_001), to)), /^cancelled: /);
    await examine(alice, "bob", { pings: 1, seconds: 0 });
  });
});

test.run();

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "";
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
}
