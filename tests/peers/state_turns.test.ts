// Peers take turns: at most one packet of states waits for each, however often it asks and however slow the transport is.
import * as assert from "uvu/assert";
import { createHub, createRuntime, type Transport } from "../../mod.ts";
import { decodeControl } from "../../protocol/wire/control.ts";
import { altered } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { RawParticipant } from "../support/hub/raw_participant.ts";
import { until } from "../support/waiting.ts";

const test = suite("StateUpdates");

test("StateUpdates: one packet waits for a peer that asks in every turn, and the last state reaches that peer", async () => {
  const hub = createHub();
  const { transport, release, held } = heldBack(hub.join("bob"));
  const bob = await createRuntime({ transport });
  const eve = new RawParticipant(hub.join("eve"));
  try {
    eve.hello("bob");
    await until(() => eve.instances.has("bob"));
    for (let sequence = 0; sequence < 50; sequence++) {
      eve.open("bob", `s${sequence}`, sequence);
      eve.state("bob", { receiving: [{ sequence: 1_000 + sequence, claim: "claimed", credit: 0, received: 0, taken: 0 }] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(held);
    release();
    const told = (): Set<number> =>
      new Set(eve.statesFrom("bob").flatMap(({ receiving, sending }) => [...receiving, ...sending].map((row) => row.sequence)));
    await until(() => told().has(49) && told().size >= 50);
    const most = 2 + Math.ceil(2 * 50 / 32); // rows of both directions, 32 a packet
    assert.ok(eve.statesFrom("bob").length <= most, `${eve.statesFrom("bob").length} packets of states`);
  } finally {
    release();
    await bob.close();
    await eve.transport.close();
  }
});

test.run();

/** A transport whose packets of states wait until they are released. */
function heldBack(inner: Transport): { transport: Transport; held: () => boolean; release: () => void } {
  let waiting = 0;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => release = resolve);
  const transport = altered(inner, () => ({
    send: async (packet, destinations) => {
      if (packet.type === "control" && decodeControl(packet.payload)?.kind === "state") {
        waiting++;
        await released;
        waiting--;
      }
      await inner.send(packet, destinations);
    },
  }));
  return { transport, held: () => waiting > 0, release };
}
