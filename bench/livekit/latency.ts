// One-way time of a text of 50 bytes, from the call until it was read; contenders take turns message by message.
import { median, quantile } from "../probe.ts";
import type { Kind, Pair } from "./processes.ts";
import type { Stage } from "./goodput.ts";
import { ratios, span } from "./results.ts";

/** Messages of each contender in a round. */
const MESSAGES = 100;
const WARM_UP = 20;
const TOPIC = "text";
const TEXT_BYTES = 50;

/** Times as long as rtc-node's at most: to a Millrace runtime by name and by broadcast, and to another SDK. */
const NAMED_REACH = 1.1;
const BROADCAST_REACH = 1.2;
const TO_SDK_REACH = 1.3;

/** Number of reads of a participant's clock. */
const CLOCK_LOOKS = 30;

interface Contender {
  readonly name: string;
  readonly by: Kind;
  readonly to: "named" | "broadcast";
  readonly pair: Pair;
  /** Messages by round. */
  readonly rounds: Message[][];
}

/** A message's times from the call on, in ms: until it was read, and until the sender's call had resolved. */
interface Message {
  readonly read: number;
  readonly sent: number;
}

export async function benchLatency({ processes, effort, results, tell }: Stage): Promise<void> {
  const messages = Math.max(4, MESSAGES / effort.divisor);
  const kinds = [["rtc-node", "rtc-node", "rtc-node"], ["Millrace", "millrace", "millrace"], [
    "Millrace to rtc-node",
    "millrace",
    "rtc-node",
  ]] as const;
  const pairs = await Promise.all(kinds.map(async ([name, from, to]) => [name, await processes.pair(from, to)] as const));
  for (const [, { receiver }] of pairs) await receiver.ask("listen", { kind: "text", topic: TOPIC, how: "read" });
  const contenders = (["named", "broadcast"] as const).flatMap((to) =>
    pairs.map(([name, pair]): Contender => ({ name, by: pair.sender.kind, to, pair, rounds: [] }))
  );
  for (let i = 0; i < WARM_UP; i++) for (const contender of contenders) await message(contender);
  for (let round = 0; round < effort.rounds; round++) {
    for (const { rounds } of contenders) rounds.push([]);
    for (let i = 0; i < messages; i++) {
      for (const contender of contenders) contender.rounds.at(-1)?.push(await message(contender));
    }
  }
  const clocks = Math.max(...await Promise.all(pairs.map(([, pair]) => clockDifference(pair))));
  tell(`the clocks of sender and receiver differ by ${clocks.toFixed(3)} ms at most`);
  for (const [, pair] of pairs) await processes.kill(pair);

  for (const { name, by, to, rounds } of contenders) {
    for (const share of [0.5, 0.95]) {
      results.row(
        `latency of a text, p${100 * share}`,
        `${name}, ${to}`,
        by,
        "ms",
        rounds.map((each) => readWithin(each, share)),
      );
    }
    const sent = rounds.map((each) => median(each.map((message) => message.sent)));
    results.row("a text's call has resolved, p50", `${name}, ${to}`, by, "ms", sent);
  }
  for (const contender of contenders.filter(({ by }) => by === "millrace")) {
    const reference = contenders.find(({ by, to }) => by === "rtc-node" && to === contender.to);
    for (const share of [0.5, 0.95]) {
      const own = contender.rounds.map((each) => readWithin(each, share));
      const theirs = reference?.rounds.map((each) => readWithin(each, share)) ?? [];
      const against = ratios(own, theirs);
      results.figure({
        id: `latency-${contender.name === "Millrace" ? "" : "plain-"}${contender.to}-p${100 * share}`,
        what: `latency of a text, ${contender.name}, ${contender.to}, p${100 * share} against rtc-node's`,
        unit: "×",
        reach: contender.name !== "Millrace" ? TO_SDK_REACH : contender.to === "broadcast" ? BROADCAST_REACH : NAMED_REACH,
        better: "less",
        runs: against,
        note: `${median(own).toFixed(2)} against ${median(theirs).toFixed(2)} ms, ${span(against, " ×")}`,
      });
    }
  }
}

function readWithin(messages: readonly Message[], share: number): number {
  return quantile(messages.map(({ read }) => read), share);
}

async function message({ pair: { sender, receiver }, to }: Contender): Promise<Message> {
  const sending = sender.ask("text", { topic: TOPIC, ...(to === "named" ? { to: [receiver.identity] } : {}) });
  const [{ began, done }, { at }] = await Promise.all([sending, receiver.ended(TEXT_BYTES)]);
  return { read: at - began, sent: done - began };
}

/** Milliseconds between the clocks of both ends, by the quickest of many reads. */
async function clockDifference({ sender, receiver }: Pair): Promise<number> {
  const offsets = [];
  for (const participant of [sender, receiver]) {
    let best = { took: Infinity, offset: 0 };
    for (let i = 0; i < CLOCK_LOOKS; i++) {
      const asked = performance.now();
      const clock = await participant.ask("clock", {});
      const took = performance.now() - asked;
      if (took < best.took) best = { took, offset: clock - asked - took / 2 };
    }
    offsets.push(best.offset);
  }
  return Math.abs((offsets[0] ?? 0) - (offsets[1] ?? 0));
}
