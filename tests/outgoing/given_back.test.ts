// Segments of transfers return to their store however they end: a kept segment is lost memory.
import { truncate, utimes, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import * as assert from "uvu/assert";
import type { ByteStreamReader, Runtime } from "../../mod.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import type { Codec } from "../../workers/codec.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import type { CodecPool } from "../../workers/pool/options.ts";
import { suite } from "../support/harness.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";
import { pattern } from "../support/bytes.ts";
import { collectReaders, nextBytes, TO_BOB } from "../support/handlers.ts";
import { inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("Segment.release");

const BYTES = 3_000_000;
/** A transfer from Alice to Bob, each with its own codec. */
interface Stage {
  readonly alice: Runtime;
  readonly bob: Runtime;
  readonly folder: string;
  readonly codecs: { readonly alice: Codec; readonly bob: Codec };
}

/** Runs a transfer. Throws unless both codecs have all their segments back while the runtimes go on. */
function giving(body: (stage: Stage) => Promise<void>): Promise<void> {
  return inTemporaryFolder((folder) =>
    inRealTime(async (room) => {
      const codecs = { alice: createInlineCodec(), bob: createInlineCodec() };
      const join = async (identity: keyof typeof codecs): Promise<Runtime> =>
        (await room.join(identity, { pool: codecs[identity] as CodecPool })).runtime;
      await body({ alice: await join("alice"), bob: await join("bob"), folder, codecs });
      await until(() => codecs.alice.segments.inUse === 0 && codecs.bob.segments.inUse === 0);
    })
  );
}

async function file(folder: string): Promise<string> {
  const path = join(folder, "data.bin");
  await writeFile(path, pattern(BYTES));
  await utimes(path, 1_000_000_000, 1_000_000_000);
  return path;
}

/** Makes a call of a codec wait until it is released. */
function hold(codec: Codec, call: "readFile" | "writeFile"): { begun: number; goOn(): void } {
  let goOn: () => void = () => {};
  const back = new Promise<void>((resolve) => (goOn = resolve));
  const held = { begun: 0, goOn };
  const real = codec[call].bind(codec) as (...rest: unknown[]) => Promise<never>;
  Object.assign(codec, {
    [call]: async (...rest: unknown[]) => {
      held.begun++;
      await back;
      return await real(...rest);
    },
  });
  return held;
}

test("segments: all are released after a file is sent and saved", () =>
  giving(async ({ alice, bob, folder }) => {
    bob.registerByteStreamHandler("t", async (reader) => void await reader.saveTo(join(folder, "in") + sep));
    await alice.sendFile(await file(folder), TO_BOB);
  }));

test("segments: all are released after small compressed frames are read and saved", () =>
  giving(async ({ alice, bob, folder }) => {
    bob.registerByteStreamHandler("t", async (reader) => void await reader.saveTo(join(folder, "in") + sep));
    bob.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
    for (const topic of ["t", "read"]) await alice.sendBytes(new Uint8Array(BYTES), { ...TO_BOB, topic, compress: true });
  }));

test("segments: all are released when a signal ends a save during writes", () =>
  giving(async ({ alice, bob, folder, codecs }) => {
    const held = hold(codecs.bob, "writeFile");
    const controller = new AbortController();
    let saved: Promise<unknown> | undefined;
    bob.registerByteStreamHandler("t", async (reader) => {
      await until(() => incomingOf(reader).content.held > 3 * SEGMENT_BYTES); // pieces that have come are written at once, up to eight
      await (saved = rejection(() => reader.saveTo(folder, { signal: controller.signal }), "aborted"));
    });
    const sent = rejection(() => alice.sendBytes(pattern(BYTES), TO_BOB), "cancelled");
    await until(() => held.begun > 1);
    controller.abort();
    await Promise.all([sent, saved]);
    held.goOn();
  }));

test("segments: all are released when a signal ends sendFile during reads", () =>
  giving(async ({ alice, bob, folder, codecs }) => {
    const held = hold(codecs.alice, "readFile");
    const controller = new AbortController();
    const heard = nextBytes(bob, "t");
    const sent = rejection(async () => alice.sendFile(await file(folder), { ...TO_BOB, signal: controller.signal }), "aborted");
    await until(() => held.begun > 1);
    controller.abort();
    await sent;
    held.goOn();
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("segments: all are released when the reader cancels a file, or a file shrinks", () =>
  giving(async ({ alice, bob, folder }) => {
    const path = await file(folder);
    const readers = collectReaders(bob);
    for (const end of [(reader: ByteStreamReader) => reader.cancel(), () => truncate(path, 1_000)]) {
      const sent = alice.sendFile(path, TO_BOB).then(() => "sent", ({ code }: { code: string }) => code);
      const count = readers.length;
      await until(() => readers.length > count);
      const reader = readers.at(-1) as ByteStreamReader;
      await end(reader);
      await reader.readAll().catch(() => {});
      assert.is(await sent, end.length === 1 ? "cancelled" : "file-error");
    }
  }));

for (const bytes of [10, 5_000, 50_000, 300_000]) {
  test(`segments: all are released when a writer is aborted with the last of ${bytes} bytes unsent`, () =>
    giving(async ({ alice, bob }) => {
      const heard = nextBytes(bob, "t");
      const writer = await alice.streamBytes(TO_BOB);
      await writer.write(pattern(bytes));
      await writer.abort();
      await rejection(async () => await (await heard).readAll(), "aborted");
    }));
}

test.run();
