// Compressed payloads that claim to be large: they never become more than their frame's header says.
import zlib from "node:zlib";
import * as assert from "uvu/assert";
import { blockingEngine } from "../../workers/node/blocking_engine.ts";
import { decompress } from "../../workers/jobs/compression.ts";
import { SlicedEngine } from "../../workers/node/sliced_engine.ts";
import { runAtOnce, runInTurns } from "../../workers/jobs/steps.ts";
import { suite } from "../support/harness.ts";

const test = suite("decompress");

const PLAIN_BYTES = 100_000_000;

test("decompress: a few bytes that hold 100 MB are corrupt, and take no more memory than declared", async () => {
  const bomb = new Uint8Array(zlib.deflateRawSync(new Uint8Array(PLAIN_BYTES)));
  const how = { encoding: "deflate-raw", length: 240_000 } as const;
  const before = process.memoryUsage().arrayBuffers;
  assert.is(runAtOnce(decompress(bomb, how, blockingEngine)), undefined);
  const between = process.memoryUsage().arrayBuffers;
  assert.ok(between - before < PLAIN_BYTES / 4, `${between - before} bytes were made`);
  assert.is(await runInTurns(decompress(bomb, how, new SlicedEngine(undefined))), undefined);
  const after = process.memoryUsage().arrayBuffers;
  assert.ok(after - between < PLAIN_BYTES / 4, `${after - between} bytes were made`);
});

test.run();
