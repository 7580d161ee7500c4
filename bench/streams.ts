// Measures whole streams between two participants of a hub, sent, hashed at both ends, read and confirmed.
//   Series: by chunk size, by write size and as finite sends; by the pool and inline; with the event loop's holds.
// Run: with bench/main.ts.
// Pitfalls: both ends share this thread and its cores. A reader that drops its bytes, as here, is the best case.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CodecPool, createCodecPool } from "../mod.ts";
import { alternate, type Contender, type Effort } from "./alternate.ts";
import { openPair, type Pair, TO_BOB } from "./pair.ts";
import type { Row } from "./report.ts";
import { flatText, randomBytes, randomFile } from "./samples.ts";

const CHUNK_SIZES = [1_000, 4_000, 15_000, 60_000] as const;
const WRITE_SIZES = [100, 1_000, 10_000, 100_000, 1_000_000] as const;
const SEND_SIZES = [1_000_000, 64_000_000] as const;

/** Bytes of one run of the first two sections. */
const RUN_BYTES = 16e6;

/** Largest number of writes of one run. */
const RUN_WRITES = 20_000;

const SAVE_TOPIC = "save";

export async function benchStreams(effort: Effort): Promise<Row[]> {
  const pool = createCodecPool();
  try {
    return [...await byChunkSize(pool, effort), ...await byWriteSize(pool, effort), ...await bySend(pool, effort)];
  } finally {
    await pool.close();
  }
}

async function byChunkSize(pool: CodecPool, effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  const bytes = RUN_BYTES / effort.divisor;
  const data = randomBytes(bytes);
  for (const size of CHUNK_SIZES) {
    rows.push(
      ...await byPoolAndInline(pool, size, async (pairs) => {
        const contenders = pairs.map(([name, { alice }]): Contender => ({
          name,
          size,
          bytes,
          run: async () => void await alice.sendBytes(data, TO_BOB),
        }));
        return await alternate("chunk size", contenders, effort);
      }),
    );
  }
  return rows;
}

async function byWriteSize(pool: CodecPool, effort: Effort): Promise<Row[]> {
  return await byPoolAndInline(pool, undefined, async (pairs) => {
    const rows: Row[] = [];
    for (const size of WRITE_SIZES) {
      const writes = Math.max(1, Math.floor(Math.min(RUN_BYTES / size, RUN_WRITES) / effort.divisor));
      const data = randomBytes(size);
      const contenders = pairs.map(([name, { alice }]): Contender => ({
        name,
        size,
        bytes: writes * size,
        async run() {
          const writer = await alice.streamBytes(TO_BOB);
          for (let i = 0; i < writes; i++) await writer.write(data);
          await writer.close();
        },
      }));
      rows.push(...await alternate("write size", contenders, effort));
    }
    return rows;
  });
}

async function bySend(pool: CodecPool, effort: Effort): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  try {
    return await byPoolAndInline(pool, undefined, async (pairs) => {
      const rows: Row[] = [];
      for (const [, { bob }] of pairs) {
        bob.registerByteStreamHandler(SAVE_TOPIC, async (reader) => {
          await reader.saveTo(join(folder, "saved"), { overwrite: true });
        });
      }
      for (const whole of SEND_SIZES) {
        const size = whole / effort.divisor;
        const data = randomBytes(size);
        const text = flatText(size);
        const path = join(folder, "file");
        await randomFile(path, size);
        const contenders = pairs.flatMap(([name, { alice }]): Contender[] => [
          { name: `sendBytes, ${name}`, size, bytes: size, run: async () => void await alice.sendBytes(data, TO_BOB) },
          { name: `sendText, ${name}`, size, bytes: size, run: async () => void await alice.sendText(text, TO_BOB) },
          {
            name: `sendFile to saveTo, ${name}`,
            size,
            bytes: size,
            run: async () => void await alice.sendFile(path, { ...TO_BOB, topic: SAVE_TOPIC }),
          },
        ]);
        rows.push(...await alternate("send", contenders, effort));
      }
      return rows;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function byPoolAndInline(
  pool: CodecPool,
  chunkSize: number | undefined,
  measure: (pairs: readonly (readonly [string, Pair])[]) => Promise<Row[]>,
): Promise<Row[]> {
  const pairs = [["pool", await openPair(pool, chunkSize)], ["inline", await openPair(false, chunkSize)]] as const;
  try {
    return await measure(pairs);
  } finally {
    for (const [, pair] of pairs) await pair.close();
  }
}
