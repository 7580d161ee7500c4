// Sources of bytes end with their stream, whichever ends first.
import { appendFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createPartFile } from "../../files/create_part_file.ts";
import { mimeTypeOf } from "../../files/mime.ts";
import { openSource } from "../../files/source.ts";
import { startRuntime } from "../../actors/runtime/millrace_runtime.ts";
import { createHub } from "../../mod.ts";
import { createInlineCodec } from "../../workers/node/job_platform.ts";
import { suite } from "../support/harness.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";
import { pattern } from "../support/bytes.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("sources");

/** Endless sources, which note their end. */
type Source = Iterable<Uint8Array> | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;
const SOURCES: Readonly<Record<string, (asked: () => void, ended: () => void) => Source>> = {
  "an async generator": async function* (asked, ended) {
    try {
      for (;; asked()) yield await Promise.resolve(pattern(100_000));
    } finally {
      ended();
    }
  },
  "a generator": function* (asked, ended) {
    try {
      for (;; asked()) yield pattern(100_000);
    } finally {
      ended();
    }
  },
  "a web stream": (asked, ended) =>
    new ReadableStream({
      pull: (controller) => {
        controller.enqueue(pattern(100_000));
        asked();
      },
      cancel: ended,
    }),
};

for (const [name, source] of Object.entries(SOURCES)) {
  for (const by of ["its signal", "its receiver"]) {
    test(`sendBytes: ${name} is ended when the stream is ended by ${by}`, () =>
      inPair(async (alice, bob) => {
        let ended = false;
        const controller = new AbortController();
        bob.registerByteStreamHandler("t", async (reader) => {
          for await (const chunk of reader) {
            if (chunk.length > 0) break; // leaving the loop cancels
          }
        });
        const { signal } = controller;
        const options = { topic: "t", destinationIdentities: ["bob"], ...(by === "its signal" ? { signal } : {}) };
        const sending = alice.sendBytes(source(() => controller.abort(), () => ended = true), options);
        await rejection(() => sending, by === "its signal" ? "aborted" : "cancelled");
        await until(() => ended);
      }));
  }
}

test("sendBytes: a web stream is cancelled, an iterator returned, if the send fails before it begins", () =>
  inPair(async (alice) => {
    const ended: string[] = [];
    const web = new ReadableStream<Uint8Array>({ cancel: () => void ended.push("web") });
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false as const, value: pattern(10) }),
        return: () => Promise.resolve({ done: true as const, value: void ended.push("iterator") }),
      }),
    };
    const signal = AbortSignal.abort();
    for (const source of [web, iterable]) await rejection(() => alice.sendBytes(source, { topic: "t", signal }), "aborted");
    assert.equal(ended, ["web", "iterator"]);
  }));

test("saveTo: saves that have ended are not remembered", () =>
  inTemporaryFolder((folder) =>
    inPair(async (alice, bob) => {
      let saves: ReadonlySet<unknown> | undefined;
      bob.registerByteStreamHandler("t", async (reader) => {
        saves = incomingOf(reader).context.saves;
        await reader.saveTo(`${folder}/`);
      });
      for (let i = 0; i < 3; i++) {
        await alice.sendBytes(pattern(1_000), { topic: "t", name: "x", destinationIdentities: ["bob"] });
      }
      await until(() => saves?.size === 0);
    })
  ));

test("saveTo: a free number is used again for a file of the same name", () =>
  inTemporaryFolder(async (folder) => {
    const save = async (count: number): Promise<void> => {
      const options = { name: "x", overwrite: false, nameBytes: 255 };
      const parts = await Promise.all(Array.from({ length: count }, () => createPartFile(`${folder}/`, options)));
      await Promise.all(parts.map((part) => part.commit(0)));
    };
    await save(4);
    assert.equal((await readdir(folder)).sort(), ["x", "x (2)", "x (3)", "x (4)"]);
    for (const name of ["x (2)", "x (3)"]) await rm(join(folder, name));
    await save(1);
    assert.equal((await readdir(folder)).sort(), ["x", "x (2)", "x (4)"]);
  }));

test("openSource: an empty file is detected by a read, not by its reported size", () =>
  inTemporaryFolder(async (folder) => {
    const hub = createHub();
    const path = join(folder, "grows");
    await writeFile(path, "");
    const grown: typeof openSource = async (...args) => {
      const source = await openSource(...args);
      await appendFile(path, "content"); // between the look at its size and the reading
      return source;
    };
    const codec = createInlineCodec();
    const files = { openSource: grown, mimeTypeOf, createPartFile };
    const alice = startRuntime({ transport: hub.join("alice") }, { codec, files });
    try {
      await rejection(() => alice.sendFile(path, { topic: "t" }), "file-error");
    } finally {
      await alice.close();
    }
  }));

test.run();
