// Calls at every distance of microtasks from each other: a fault of one interleaving is found by a trial of all.
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import type { HubOptions } from "../../mod.ts";
import { difference, pattern } from "../support/bytes.ts";
import { TO_BOB } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { suite } from "../support/harness.ts";

const test = suite("microtasks");

/** Number of microtasks: more than a short stream takes from its call to its last packet on the hub. */
const DISTANCES = 60;

const HUBS: readonly [string, HubOptions][] = [
  ["a direct hub", {}],
  ["a hub with links", { link: { kind: "reliable", delay: 1 } }],
];

for (const [name, options] of HUBS) {
  test(`sendText: an aborted text reaches a handler whole or not at all, on ${name}`, () =>
    inPair(
      async (alice, bob, room) => {
        const outcomes: string[] = [];
        let finish = (): void => {};
        const finished = new Promise<void>((resolve) => finish = resolve);
        bob.registerTextStreamHandler("t", async (reader) => {
          const outcome = await reader.readAll().catch((error: Error) => error.message);
          if (outcome === "last") finish();
          else outcomes.push(outcome);
        });
        await alice.sendText("short", { ...TO_BOB, confirm: true }); // they know each other from here on
        let sent = 0;
        for (let distance = 0; distance < DISTANCES; distance++) {
          const controller = new AbortController();
          const sending = alice.sendText("short", { ...TO_BOB, signal: controller.signal });
          await (distance < DISTANCES - 5 ? microtasks(distance) : sending); // the last ones are sent
          controller.abort();
          await sending.then(() => sent++, () => undefined);
        }
        await alice.sendText("last", TO_BOB);
        await finished;
        assert.ok(sent > 0 && sent < DISTANCES, `${sent} were sent`);
        assert.equal(outcomes.filter((text) => text !== "short"), []);
        assert.ok(outcomes.length > sent);
        assert.equal([room.told("alice"), room.told("bob")], [[], []]);
      },
      { hub: options },
    ));

  test(`sends: two that begin microtasks apart arrive whole, on ${name}`, () =>
    inPair(
      async (alice, bob) => {
        const texts: string[] = [];
        const bytes: Uint8Array[] = [];
        bob.registerTextStreamHandler("t", async (reader) => void texts.push(await reader.readAll()));
        bob.registerByteStreamHandler("t", async (reader) => void bytes.push(await reader.readAll()));
        for (let distance = 0; distance < DISTANCES; distance++) {
          const content = Buffer.from(pattern(40_000, distance));
          const first = alice.sendText(`first ${distance}`, { ...TO_BOB, confirm: true });
          await microtasks(distance);
          const second = alice.sendBytes(content, { ...TO_BOB, confirm: true });
          await microtasks(distance);
          await Promise.all([first, second, alice.sendText(`last ${distance}`, { ...TO_BOB, confirm: true })]);
          assert.ok(bytes.length === 1 && content.equals(bytes[0] ?? new Uint8Array()), `bytes at ${distance}`);
          assert.equal(texts.sort(), [`first ${distance}`, `last ${distance}`]);
          texts.length = bytes.length = 0;
        }
      },
      { hub: options },
    ));
}

for (const [name, options] of HUBS) {
  test(
    `StreamWriter.write(): large writes that are not awaited arrive whole and in order, in other SDKs too, on ${name}`,
    () =>
      inPair(
        async (alice, bob, room) => {
          const plain = room.raw("plain");
          const parts = Array.from({ length: 8 }, (_, seed) => pattern(1_500_000, seed));
          const texts = parts.map((part) => Buffer.from(part).toString("latin1")); // two bytes of UTF-8 for every other byte
          const bytes: Promise<Uint8Array[]>[] = [];
          const text: Promise<string[]>[] = [];
          bob.registerByteStreamHandler("t", async (reader) => void await bytes[bytes.push(all(reader)) - 1]);
          bob.registerTextStreamHandler("t", async (reader) => void await text[text.push(all(reader)) - 1]);
          for (const destinationIdentities of [["bob"], ["bob", "plain"]]) {
            const to = { topic: "t", destinationIdentities };
            const [byteWriter, textWriter] = [await alice.streamBytes(to), await alice.streamText(to)];
            const writes = parts.flatMap((part, at) => [byteWriter.write(part), textWriter.write(texts[at] ?? "")]);
            await Promise.all([...writes, byteWriter.close(), textWriter.close()]);
            assert.is(Buffer.compare(Buffer.concat(await bytes.shift() ?? []), Buffer.concat(parts)), 0);
            assert.ok((await text.shift())?.join("") === texts.join(""));
            if (!destinationIdentities.includes("plain")) continue;
            await until(() => plain.trailers.length === 2);
            assert.is(difference(plain.content(byteWriter.info.streamId), Buffer.concat(parts)), "none");
            assert.is(difference(plain.content(textWriter.info.streamId), Buffer.from(texts.join(""))), "none");
          }
        },
        { hub: options },
      ),
    { seconds: 60 },
  );
}

test.run();

async function microtasks(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await Promise.resolve();
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}
