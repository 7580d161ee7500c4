// Peers take turns: at most one packet of states waits for each, however much it asks and however slowly the transport takes them.
import * as assert from "uvu/assert";
import { createHub, createRuntime, type Transport } from "../../mod.ts";
import { decodeControl } from "../../protocol/wire/control.ts";
import { suite } from "../support/harness.ts";
import { until } from "../support/participants.ts";
import { Raw } from "../support/room.ts";

const test = suite("turns of states");

/** A transport that holds back packets of states until it is released. */
class HeldBack implements Transport {
  readonly #inner: Transport;
  #release: () => void = () => {};
  readonly #released = new Promise<void>((resolve) => this.#release = resolve);
  waiting = 0;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get identity(): string {
    return this.#inner.identity;
  }

  participants(): readonly string[] {
    return this.#inner.participants();
  }

  open(...events: Parameters<Transport["open"]>): void {
    this.#inner.open(...events);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async send(...args: Parameters<Transport["send"]>): Promise<void> {
    const [packet] = args;
    if (packet.type === "control" && decodeControl(packet.payload)?.kind === "state") {
      this.waiting++;
      await this.#released;
      this.waiting--;
    }
    await this.#inner.send(...args);
  }

  release(): void {
    this.#release();
  }
}

test("one packet of states waits for a peer that asks in every turn, and the last word reaches it", async () => {
  const hub = createHub();
  const transport = new HeldBack(hub.join("bob"));
  const bob = await createRuntime({ transport });
  const eve = new Raw(hub.join("eve"));
  try {
    eve.hello("bob");
    await until(() => eve.instances.has("bob"));
    for (let sequence = 0; sequence < 50; sequence++) {
      eve.open("bob", `s${sequence}`, sequence);
      eve.state("bob", { receiving: [{ sequence: 1_000 + sequence, claim: "claimed", credit: 0, received: 0, taken: 0 }] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => transport.waiting > 0);
    transport.release();
    const told = (): Set<number> =>
      new Set(eve.statesFrom("bob").flatMap(({ receiving, sending }) => [...receiving, ...sending].map((row) => row.sequence)));
    await until(() => told().has(49) && told().size >= 50);
    assert.ok(eve.statesFrom("bob").length <= 3, `${eve.statesFrom("bob").length} packets of states`);
  } finally {
    transport.release();
    await bob.close();
    await eve.transport.close();
  }
});

test.run();
