// Sends whose own side fails: missing memory stands for all unexpected failures.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Runtime } from "../../mod.ts";
import type { Codec } from "../../workers/codec.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import type { CodecPool } from "../../workers/pool/options.ts";
import type { SegmentStore } from "../../workers/segments.ts";
import { nextBytes, nextText } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inRealTime } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("send failures");

const BYTES = 2_000_000;

const SENDS: Readonly<Record<string, (alice: Runtime, folder: string) => Promise<unknown>>> = {
  sendText: (alice) => alice.sendText("x".repeat(BYTES), { streamId: "s", topic: "t" }),
  sendBytes: (alice) => alice.sendBytes(new Uint8Array(BYTES), { streamId: "s", topic: "t" }),
  "sendBytes of a Blob": (alice) => alice.sendBytes(new Blob([new Uint8Array(BYTES)]), { streamId: "s", topic: "t" }),
  sendFile: async (alice, folder) => {
    const path = join(folder, "file.bin");
    await writeFile(path, new Uint8Array(BYTES));
    return await alice.sendFile(path, { streamId: "s", topic: "t" });
  },
};

for (const [name, send] of Object.entries(SENDS)) {
  test(`${name}: an unexpected failure ends the stream at both ends, and is the cause`, () =>
    inTemporaryFolder((folder) =>
      inRealTime(async (room) => {
        const { runtime: alice } = await room.join("alice", { pool: forgetful(3) });
        const { runtime: bob } = await room.join("bob", { pool: false });
        const came = Promise.race([nextBytes(bob, "t"), nextText(bob, "t")]);
        const sent = rejection(() => send(alice, folder), "aborted");
        const reader = await came;
        const read = rejection(() => reader.readAll(), "aborted");
        assert.instance((await sent).cause, RangeError);
        await read;
        await alice.sendText("again", { streamId: "s" }); // the id is free
      })
    ));
}

test.run();

/** Codec that has memory for `count` segments only. */
function forgetful(times: number): CodecPool {
  const codec = createInlineCodec();
  let left = times;
  const segments: SegmentStore = {
    acquire(capacity) {
      if (left-- <= 0) throw new RangeError("Array buffer allocation failed");
      return codec.segments.acquire(capacity);
    },
    get inUse() {
      return codec.segments.inUse;
    },
    clear: () => codec.segments.clear(),
  };
  const handler: ProxyHandler<Codec> = {
    get(target, key) {
      if (key === "segments") return segments;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  };
  return new Proxy<Codec>(codec, handler) as CodecPool;
}
