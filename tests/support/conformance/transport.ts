// Contract of every Transport. A transport's own test calls this with a function that makes rooms.
import { OWN_ATTRIBUTE } from "../../../protocol/constants.ts";
import * as assert from "uvu/assert";
import { StreamError } from "../../../errors.ts";
import type { Packet } from "../../../protocol/wire/packets.ts";
import type { Transport } from "../../../transports/transport.ts";
import { suite } from "../harness.ts";

/** Makes a room for each test. */
export interface Room {
  join(identity: string): Promise<Transport>;
  /** Ends the room; its participants have been closed. */
  close(): Promise<void>;
}

/** An event as a string, so that lists of them compare and print well. */
type Event = string;

/** A participant who notes all events. */
class Member {
  readonly transport: Transport;
  readonly events: Event[] = [];
  readonly errors: (Error | undefined)[] = [];
  #sending = 0;
  #receiving = 0;
  #check: () => void = () => {};

  constructor(transport: Transport) {
    this.transport = transport;
  }

  open(react: (packet: Packet, from: string) => void = () => {}): this {
    this.transport.open({
      packet: (packet, from) =>
        this.#note(`${from}: ${describe(packet)}`, () => {
          react(packet, from);
        }),
      joined: (identity) => this.#note(`joined ${identity}`),
      left: (identity) => this.#note(`left ${identity}`),
      closed: (error) => {
        this.errors.push(error);
        this.#note("closed");
      },
    });
    return this;
  }

  send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    this.#sending++;
    try {
      return this.transport.send(packet, destinations);
    } finally {
      this.#sending--;
    }
  }

  /** The packets among the events. */
  get packets(): Event[] {
    return this.events.filter((event) => event.includes(": "));
  }

  /** Resolves when the event has come. */
  async told(event: Event): Promise<void> {
    await this.until(() => this.events.includes(event));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#check = resolve;
      });
    }
  }

  #note(event: Event, react: () => void = () => {}): void {
    if (this.#sending > 0) this.events.push("an event from within a call of send");
    if (this.#receiving > 0) this.events.push("an event from within another");
    this.#receiving++;
    this.events.push(event);
    react();
    this.#receiving--;
    this.#check();
  }
}

/** `after` runs when the last test is done, passed or failed. */
export function transportConformance(
  name: string,
  makeRoom: () => Promise<Room>,
  after: () => Promise<void> = () => Promise.resolve(),
): void {
  const test = suite(`transport: ${name}`);

  function inRoom(
    title: string,
    body: (join: (identity: string) => Promise<Member>) => Promise<void>,
    options: { seconds?: number } = {},
  ): void {
    test(title, async () => {
      const room = await makeRoom();
      const members: Member[] = [];
      try {
        await body(async (identity) => {
          const member = new Member(await room.join(identity));
          members.push(member);
          return member;
        });
      } finally {
        for (const member of members) await member.transport.close();
        await room.close();
      }
    }, options);
  }

  inRoom("Transport.send(): packets of all types arrive unchanged, from their sender", async (join) => {
    const alice = (await join("alice")).open();
    const received: Packet[] = [];
    const bob = (await join("bob")).open((packet) =>
      received.push(packet.type === "chunk" ? { ...packet, content: packet.content.slice() } : packet)
    );
    const sent = [header("s"), chunk("s", 0, Uint8Array.of(1, 2, 3)), control("hello"), trailer("s", "why")];
    for (const packet of sent) await alice.send(packet, ["bob"]);
    await bob.until(() => bob.packets.length === sent.length);
    assert.equal(bob.packets, sent.map((packet) => `alice: ${describe(packet)}`));
    assert.equal(received[0], sent[0]);
    assert.equal(received[1], sent[1]);
    assert.equal(received[3], sent[3]);
  });

  inRoom("Transport.send(): packets arrive in order, awaited or not", async (join) => {
    const alice = (await join("alice")).open();
    const bob = (await join("bob")).open();
    const expected: Event[] = [];
    const sends: Promise<void>[] = [];
    for (let index = 0; index < 300; index++) {
      const sent = alice.send(chunk("s", index, new Uint8Array(10)), index % 3 === 0 ? undefined : ["bob"]);
      if (index % 7 === 0) await sent;
      else sends.push(sent);
      expected.push(`alice: chunk s ${index} 10`);
    }
    await Promise.all(sends);
    await bob.told(expected[expected.length - 1] ?? "");
    assert.equal(bob.packets, expected);
  });

  inRoom("Transport.send(): a broadcast reaches all but the sender", async (join) => {
    const alice = (await join("alice")).open();
    const others = [(await join("bob")).open(), (await join("carol")).open()];
    await alice.send(control("all"));
    for (const other of others) await other.told("alice: control all");
    await others[0]?.send(control("back"), ["alice"]);
    await alice.told("bob: control back");
    assert.equal(alice.packets, ["bob: control back"]);
  });

  inRoom("Transport.send(): only the named destinations get a packet, each once", async (join) => {
    const alice = (await join("alice")).open();
    const [bob, carol, dave] = [(await join("bob")).open(), (await join("carol")).open(), (await join("dave")).open()];
    await alice.send(control("two"), ["bob", "carol", "bob"]);
    await alice.send(control("none"), []);
    await alice.send(control("absent"), ["nobody"]);
    await alice.send(control("half"), ["nobody", "carol"]);
    await alice.send(control("end"));
    for (const other of [bob, carol, dave]) await other.told("alice: control end");
    assert.equal(bob.packets, ["alice: control two", "alice: control end"]);
    assert.equal(carol.packets, ["alice: control two", "alice: control half", "alice: control end"]);
    assert.equal(dave.packets, ["alice: control end"]);
  });

  inRoom("Transport.open(): reports who joins and leaves, as participants() does", async (join) => {
    const alice = (await join("alice")).open();
    assert.equal(alice.transport.participants(), []);
    const bob = (await join("bob")).open();
    assert.equal(bob.transport.participants(), ["alice"]);
    await alice.told("joined bob");
    assert.equal(alice.transport.participants(), ["bob"]);
    await bob.send(control("last words"));
    await bob.transport.close();
    await alice.told("left bob");
    assert.equal(alice.transport.participants(), []);
    assert.equal(alice.events, ["joined bob", "bob: control last words", "left bob"]);
    assert.equal(bob.events, []);
  });

  inRoom("Transport.find(): finds present participants, and gives up absent ones", async (join) => {
    const alice = (await join("alice")).open();
    await join("bob");
    await alice.transport.find?.(["bob"]);
    assert.equal(alice.transport.participants(), ["bob"]);
    await alice.transport.find?.(["bob", "nobody"]);
    assert.equal(alice.transport.participants(), ["bob"]);
  });

  inRoom("Transport: a second participant of one identity closes the first, which has left for the others", async (join) => {
    const alice = (await join("alice")).open();
    const first = (await join("bob")).open();
    await alice.told("joined bob");
    const second = (await join("bob")).open();
    await first.told("closed");
    await alice.until(() => alice.events.length === 3);
    assert.equal(alice.events, ["joined bob", "left bob", "joined bob"]);
    assert.equal((first.errors[0] as StreamError).code, "disconnected");
    assert.equal(await codeOf(first.send(control("late"))), "disconnected");
    await alice.send(control("to the second"), ["bob"]);
    await second.told("alice: control to the second");
    assert.equal(first.events, ["closed"]);
  });

  inRoom("Transport.close(): sends nothing afterwards, and is idempotent", async (join) => {
    const alice = (await join("alice")).open();
    const bob = (await join("bob")).open();
    await alice.told("joined bob"); // of one who has left before, a transport need not tell
    await Promise.all([bob.transport.close(), bob.transport.close()]);
    await bob.transport.close();
    assert.equal(await codeOf(bob.send(control("late"))), "disconnected");
    await alice.told("left bob");
    await alice.send(control("to nobody"), ["bob"]);
    assert.equal(alice.events, ["joined bob", "left bob"]);
    assert.equal(bob.events, []);
  });

  inRoom("Transport.send(): the bytes may change when it has resolved", async (join) => {
    const alice = (await join("alice")).open();
    const sums: number[] = [];
    const bob = (await join("bob")).open((packet) => {
      if (packet.type === "chunk") sums.push(packet.content.reduce((sum, byte) => sum + byte, 0));
    });
    const bytes = new Uint8Array(1_000);
    for (let index = 0; index < 20; index++) {
      bytes.fill(index);
      await alice.send(chunk("s", index, bytes), ["bob"]);
      bytes.fill(255);
    }
    await bob.until(() => sums.length === 20);
    assert.equal(sums, Array.from({ length: 20 }, (_, index) => index * 1_000));
  });

  inRoom("Transport.open(): events come one at a time, never within a call of send()", async (join) => {
    const alice = await join("alice");
    const bob = await join("bob");
    const sends: Promise<void>[] = [];
    alice.open((packet) => {
      if (packet.type === "chunk" && packet.index < 50) {
        sends.push(alice.send(chunk("s", packet.index + 1, new Uint8Array(1)), ["bob"]));
      }
    });
    bob.open((packet) => {
      if (packet.type === "chunk") sends.push(bob.send(chunk("s", packet.index + 1, new Uint8Array(1)), ["alice"]));
    });
    await alice.send(chunk("s", 0, new Uint8Array(1)));
    await alice.told("bob: chunk s 51 1");
    await Promise.all(sends);
    assert.equal(alice.packets.length, 26);
    assert.equal(bob.packets.length, 26);
    assert.equal([...alice.events, ...bob.events].filter((event) => event.startsWith("an event")), []);
  });

  inRoom("Transport.send(): refuses a packet that is too large, and goes on", async (join) => {
    const alice = (await join("alice")).open();
    const bob = (await join("bob")).open();
    assert.equal(await codeOf(alice.send(chunk("s", 0, new Uint8Array(64_001)), ["bob"])), "transport");
    assert.equal(await codeOf(alice.send(header("s", { much: "ü".repeat(8_000) }), ["bob"])), "transport");
    await alice.send(chunk("s", 0, new Uint8Array(60_000)), ["bob"]);
    await bob.told("alice: chunk s 0 60000");
    assert.equal(bob.packets, ["alice: chunk s 0 60000"]);
  });

  inRoom("Transport: twenty participants each send to all", async (join) => {
    const members: Member[] = [];
    for (let index = 0; index < 20; index++) members.push((await join(`p${index}`)).open());
    await Promise.all(members.map((member) => member.send(control("hi"))));
    for (const member of members) await member.until(() => member.packets.length === 19);
    for (const member of members) {
      const expected = members.filter((other) => other !== member).map((other) => `${other.transport.identity}: control hi`);
      assert.equal([...member.packets].sort(), expected.sort());
    }
  }, { seconds: 60 });

  test.after(after);
  test.run();
}

/** A header of ours: another SDK's streams may come by other means than their packets. */
export function header(streamId: string, attributes: Record<string, string> = {}): Packet {
  return {
    type: "header",
    header: {
      streamId,
      timestamp: 1_700_000_000_000,
      topic: "t",
      mimeType: "text/plain",
      attributes: { ...attributes, [OWN_ATTRIBUTE]: "{}" },
      content: { kind: "text", attachedStreamIds: [] },
    },
  };
}

export function chunk(streamId: string, index: number, content: Uint8Array): Packet {
  return { type: "chunk", streamId, index, content };
}

export function trailer(streamId: string, reason = ""): Packet {
  return { type: "trailer", streamId, reason, attributes: {} };
}

export function control(text: string): Packet {
  return { type: "control", payload: new TextEncoder().encode(text) };
}

/** A packet in a few words. */
export function describe(packet: Packet): string {
  switch (packet.type) {
    case "header":
      return `header ${packet.header.streamId}`;
    case "chunk":
      return `chunk ${packet.streamId} ${packet.index} ${packet.content.byteLength}`;
    case "trailer":
      return `trailer ${packet.streamId} ${packet.reason}`;
    case "control":
      return `control ${new TextDecoder().decode(packet.payload)}`;
  }
}

/** Code that a promise rejects with. Fails unless it rejects with a StreamError. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, StreamError);
    return (error as StreamError).code;
  }
  throw new Error("The promise resolved");
}
