// Files attached to a text: they go to the same receivers, under the same name, and end with the same signal.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { ByteStreamReader } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes } from "../support/handlers.ts";
import { inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("attachments");

const BYTES = 8_000_000;

/** Attachments of each kind, with more bytes than its receiver takes unread. */
const ATTACHED: Readonly<Record<string, (folder: string) => Promise<string | File>>> = {
  "a file": async (folder) => {
    const path = join(folder, "large.bin");
    await writeFile(path, pattern(BYTES));
    return path;
  },
  "a File": (_folder) => Promise.resolve(new File([pattern(BYTES)], "large.bin")),
};

for (const [what, attach] of Object.entries(ATTACHED)) {
  test(`sendText: ${what} goes to the receivers of the text, under its own name`, () =>
    inTemporaryFolder((folder) =>
      inRealTime(async (room) => {
        const [alice, bob, carol] = [
          (await room.join("alice")).runtime,
          (await room.join("bob")).runtime,
          (await room.join("carol")).runtime,
        ];
        const seen: string[] = [];
        for (const runtime of [bob, carol]) {
          collectTexts(runtime, "mail");
          runtime.registerByteStreamHandler("mail", async (reader, { identity }) => {
            seen.push(`${runtime.identity} gets ${(await reader.readAll()).length} bytes of ${identity}`);
          });
        }
        const named = { topic: "mail", destinationIdentities: ["bob"], senderIdentity: "the agent" };
        await alice.sendText("see attached", { ...named, attachments: [await attach(folder)] });
        await until(() => seen.length > 0);
        assert.equal(seen, [`bob gets ${BYTES} bytes of the agent`]);
        await alice.sendBytes(pattern(3), { topic: "mail", destinationIdentities: ["carol"] });
        await until(() => seen.length > 1);
        assert.equal(seen.slice(1), ["carol gets 3 bytes of alice"]);
      })
    ));

  test(`sendText: ${what} in transfer ends with the signal of its text`, () =>
    inTemporaryFolder((folder) =>
      inRealTime(async (room) => {
        const [alice, bob] = [(await room.join("alice")).runtime, (await room.join("bob")).runtime];
        collectTexts(bob, "mail");
        const heard: Promise<ByteStreamReader> = nextBytes(bob, "mail");
        const controller = new AbortController();
        const attachments = [await attach(folder)];
        const sent = rejection(
          () => alice.sendText("x", { topic: "mail", destinationIdentities: ["bob"], signal: controller.signal, attachments }),
          "aborted",
        );
        const reader = await heard;
        controller.abort();
        await sent;
        await rejection(() => reader.readAll(), "aborted");
      })
    ));
}

test.run();
