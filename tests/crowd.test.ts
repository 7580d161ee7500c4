// Many participants at once.
import * as assert from "uvu/assert";
import { createHub, createRuntime } from "../mod.ts";
import { suite } from "./harness.ts";

const test = suite("a crowd");

test("200 participants each send to all", async () => {
  const hub = createHub();
  const count = 200;
  const heard = new Map<string, Set<string>>();
  const runtimes = await Promise.all(Array.from({ length: count }, (_, i) => createRuntime({ transport: hub.join(`p${i}`), pool: false })));
  let missing = count * (count - 1);
  let done = (): void => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  for (const runtime of runtimes) {
    const from = new Set<string>();
    heard.set(runtime.identity, from);
    runtime.registerTextStreamHandler("t", async (reader, sender) => {
      if (await reader.readAll() === `I am ${sender.identity}`) from.add(sender.identity);
      if (--missing === 0) done();
    });
  }
  await Promise.all(runtimes.map((runtime) => runtime.sendText(`I am ${runtime.identity}`, { topic: "t" })));
  await all;
  for (const [identity, from] of heard) assert.is(from.size, count - 1, identity);
  await Promise.all(runtimes.map((runtime) => runtime.close()));
}, { seconds: 60 });

test.run();
