// Where the time of the thread that sends and reads goes: microseconds for a segment of 240 kB, by function, from V8's sampling profiler.
// Pitfalls: Node only. The profiler itself takes some per cent. A function that first writes to fresh memory pays for its pages.
import { type Profiler, Session } from "node:inspector/promises";
import { SEGMENT_BYTES } from "../protocol/constants.ts";
import { openPair, TO_BOB, TOPIC, WHOLE_TOPIC } from "./pair.ts";
import { table } from "./report.ts";
import { randomBytes } from "./samples.ts";

/** Functions that are listed; the others are one line. */
const LISTED = 8;

/** Tables of 256 MB by `sendBytes`, read by `readAll` and by a loop. */
export async function profileSends(brief: boolean): Promise<string> {
  const data = randomBytes(brief ? 4e6 : 256e6);
  const rounds = brief ? 1 : 10;
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  const pair = await openPair(undefined);
  const tables: string[] = [];
  try {
    for (const [how, topic] of [["readAll", WHOLE_TOPIC], ["a loop", TOPIC]] as const) {
      const send = async (times: number): Promise<void> => {
        for (let n = 0; n < times; n++) await pair.alice.sendBytes(data, { ...TO_BOB, topic });
      };
      await send(rounds); // the code is compiled
      await session.post("Profiler.start");
      await send(rounds);
      const { profile } = await session.post("Profiler.stop");
      const lines = linesOf(profile, rounds * data.length / SEGMENT_BYTES);
      tables.push(table([`256 MB by sendBytes, read by ${how}`, "µs for 240 kB"], lines));
    }
  } finally {
    await pair.close();
    session.disconnect();
  }
  tables.push(table(["a copy of 240 kB", "µs"], copies(data.length)));
  return tables.join("\n\n");
}

/** Times of copies into fresh memory, whose pages the system fills with zeros first, and into memory that was used before. */
function copies(bytes: number): string[][] {
  const source = new Uint8Array(SEGMENT_BYTES).fill(1);
  const fresh = new Uint8Array(bytes);
  return ["into fresh memory", "into used memory"].map((what) => {
    const began = performance.now();
    for (let at = 0; at + SEGMENT_BYTES <= bytes; at += SEGMENT_BYTES) fresh.set(source, at);
    return [what, ((performance.now() - began) * 1000 / (bytes / SEGMENT_BYTES)).toFixed(1)];
  });
}

/** Lines of the functions with the longest times of their own, and of all others. */
function linesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, segments: number): string[][] {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url } }) => [id, `${functionName} ${fileOf(url)}`.trim()]));
  const micros = new Map<string, number>();
  samples.forEach((id, at) => {
    const name = names.get(id) ?? "";
    micros.set(name, (micros.get(name) ?? 0) + (timeDeltas[at] ?? 0) / segments);
  });
  const all = [...micros].sort(([, a], [, b]) => b - a);
  const others = all.slice(LISTED).reduce((sum, [, each]) => sum + each, 0);
  const total = all.reduce((sum, [, each]) => sum + each, 0);
  return [...all.slice(0, LISTED), ["all others", others] as const, ["total", total] as const].map(([name, each]) => [
    name,
    each.toFixed(1),
  ]);
}

function fileOf(url: string): string {
  return url.split("/").slice(-2).join("/");
}
