// Two processes over a pipe: each byte is hashed at both ends, which one process with shared memory need not do. Reported, without a goal.
import { spawn } from "node:child_process";
import process from "node:process";
import { createRuntime } from "../../mod.ts";
import type { FigureContext, Measure } from "./types.ts";
import { sha256Rate } from "../limits.ts";
import { median } from "../probe.ts";
import { cores, runtimeName } from "../report.ts";
import { randomBytes } from "../samples.ts";
import { programFile } from "../support/program_command.ts";
import { pipeTransport } from "./children/pipe_transport.ts";

const MB = 1e6;

export async function* pipeFigures({ pool, rounds, divisor }: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const command = [
    ...runtimeName === "deno" ? ["run", "--no-prompt", "-A"] : [],
    programFile("bench/figures/children/pipe_child"),
  ];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  const gone = new Promise((resolve) => child.once("close", resolve));
  try {
    const data = randomBytes(128 * MB / divisor);
    const alice = await createRuntime({ transport: pipeTransport("alice", "bob", child.stdout, child.stdin), pool });
    const options = { topic: "pipe", destinationIdentities: ["bob"], compress: false };
    const shares: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const limit = cores * sha256Rate() / 2;
      const began = performance.now();
      await alice.sendBytes(data, options);
      const rate = data.length / 1000 / (performance.now() - began);
      if (round === 0) continue; // warms up
      rates.push(rate);
      shares.push(100 * rate / limit);
    }
    await alice.close();
    yield {
      id: "pipe",
      what: "128 MB by sendBytes between two processes over a pipe, hashed at both ends",
      unit: "% of two hashes on all cores",
      reach: 0,
      better: "more",
      runs: shares,
      note: `${median(rates).toFixed(0)} MB/s; reported, without a goal`,
    };
  } finally {
    child.stdin.end();
    await gone;
  }
}
