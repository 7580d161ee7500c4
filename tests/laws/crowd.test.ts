// Many participants at once.
import * as assert from "uvu/assert";
import { createHub, createRuntime } from "../../mod.ts";
import { suite } from "../support/harness.ts";

const test = suite("crowd");

test("hub: of 200 runtimes each sends to the next, and every fourth to all", async () => {
  const hub = createHub();
  const count = 200;
  const heard = new Map<string, Set<string>>();
  const runtimes = await Promise.all(
    Array.from({ length: count }, (_, i) => createRuntime({ transport: hub.join(`p${i}`), pool: false })),
  );
  const speakers = runtimes.filter((_, i) => i % 4 === 0);
  let missing = speakers.length * (count - 1) + count;
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
  await Promise.all(speakers.map((runtime) => runtime.sendText(`I am ${runtime.identity}`, { topic: "t" })));
  await Promise.all(runtimes.map((runtime, i) => {
    return runtime.sendText(`I am ${runtime.identity}`, { topic: "t", destinationIdentities: [`p${(i + 1) % count}`] });
  }));
  await all;
  runtimes.forEach(({ identity }, i) => {
    const expected = new Set(speakers.map((speaker) => speaker.identity).filter((speaker) => speaker !== identity));
    expected.add(`p${(i + count - 1) % count}`);
    assert.equal([...(heard.get(identity) ?? [])].sort(), [...expected].sort());
  });
  await Promise.all(runtimes.map((runtime) => runtime.close()));
}, { seconds: 60 });

test.run();
