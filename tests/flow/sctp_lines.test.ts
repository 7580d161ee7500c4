// Laws of congestion control behind SCTP's slow start and recovery from losses, through a LiveKit server, in simulated time.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { quantile } from "../support/hub/paced_links.ts";
import { type SctpLine, transferOverSctp } from "../support/sctp/sctp_transfer.ts";

const test = suite("congestion behind SCTP");

const MB = 1e6;
const SEEDS = [1, 2, 3];

/** A line, and what is asked of it: goodput in MB/s, and p95 of messages in ms. */
interface Law extends Partial<SctpLine> {
  readonly delay: number;
  readonly bytes: number;
  readonly goodput: number;
  readonly late: number;
}

// Comments: without a window; with a first window of 60 kB that doubled, chunks of 15 kB, and 64 kB in the data channel.
const LAWS: readonly Law[] = [
  { delay: 25, bytes: 8 * MB, goodput: 4, late: 160 }, // 4.4 and 662; 3.7 and 167
  { delay: 50, bytes: 8 * MB, goodput: 2.75, late: 300 }, // 3.4 and 1,066; 2.4 and 404
  { delay: 100, bytes: 8 * MB, goodput: 1.75, late: 600 }, // 2.2 and 2,261; 1.5 and 904
  { delay: 20, rate: 4_000, bytes: 8 * MB, goodput: 3, late: 130 }, // 3.3 and 881; 2.96 and 148
  { delay: 20, rate: 1_000, bytes: 8 * MB, goodput: 0.88, late: 140 }, // 0.85 and 3,515; 0.89 and 143
  { delay: 60, rate: 500, bytes: 8 * MB, goodput: 0.42, late: 325 }, // 0.43 and 5,867; 0.41 and 357
  { delay: 150, rate: 300, bytes: 8 * MB, goodput: 0.22, late: 1_075 }, // 0.25 and 9,374; 0.23 and 1,072
  { delay: 5, rate: 300, bytes: 4 * MB, goodput: 0.26, late: 160 }, // 0.26 and 8,676; 0.27 and 224
  { delay: 10, rate: 2_000, loss: 0.002, bytes: 8 * MB, goodput: 1.05, late: 200 }, // 1.26 and 2,307; 1.16 and 176
  { delay: 10, rate: 4_000, loss: 0.01, bytes: 8 * MB, goodput: 0.45, late: 235 }, // 0.57 and 4,433; 0.51 and 251
];

for (const { bytes, goodput, late, ...given } of LAWS) {
  const line = { rate: Infinity, queue: 500, loss: 0, ...given };
  const { delay, rate, loss } = line;
  test(
    `CongestionController: ${delay} ms, ${
      rate / 1_000
    } MB/s, loss ${loss}, through a server: ${goodput} MB/s, messages within ${late} ms`,
    () => {
      const seeds = loss === 0 ? SEEDS.slice(0, 1) : SEEDS; // without losses nothing is random
      const runs = seeds.map((seed) => transferOverSctp(line, bytes, { paced: true, seed }));
      const rates = runs.map((run) => run.rate / 1_000);
      const times = runs.map(({ latencies }) => quantile(latencies, 0.95));
      assert.ok(quantile(rates, 0.5) >= goodput, `${rates.join(", ")} MB/s`);
      assert.ok(quantile(times, 0.5) <= late, `${times.join(", ")} ms`);
    },
    { seconds: 60 },
  );
}

test.run();
